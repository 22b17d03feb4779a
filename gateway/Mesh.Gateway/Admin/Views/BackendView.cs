using Mesh.Core.Config;
using Mesh.Core.Snapshots;
using Mesh.Gateway.Admin.History;
using Mesh.Gateway.Admin.Journal;
using Mesh.Gateway.Admin.Shapes;
using Mesh.Resources.Effective;

namespace Mesh.Gateway.Admin.Views;

/// <summary>Backends in the API's shape.</summary>
internal static class BackendView
{
    /// <summary>A backend.</summary>
    /// <param name="pool">Its pool.</param>
    /// <param name="backend">The backend.</param>
    /// <param name="effective">What holds for its pool; null without manifests.</param>
    /// <param name="latencies">Times of the last minute.</param>
    /// <param name="withSettings">True to tell every setting.</param>
    public static BackendShape Of(PoolSnapshot pool, BackendSnapshot backend, EffectivePool? effective, BackendLatencies latencies, bool withSettings)
    {
        var label = pool.Id.ToString();
        var known = effective?.Backends.FirstOrDefault(b => b.Id == backend.Id);
        var settings = backend.Settings;
        return new BackendShape
        {
            Id = backend.Id.ToString(),
            Pool = label,
            Region = backend.Region,
            Cluster = backend.Id.Cluster,
            Zone = backend.Id.Zone,
            Port = backend.Id.Port,
            Endpoints = backend.Endpoints.Length,
            HealthyEndpoints = backend.HealthyEndpoints,
            ReadyEndpoints = Load.ReadyIn(backend),
            InFlightRequests = Load.InFlightOf(backend),
            WaitingRequests = backend.Endpoints.Sum(e => e.WaitingRequests),
            RequestsPerSecond = Rounded.Or0(backend.RequestsPerSecond),
            Mode = WordOf(settings.Mode),
            Preference = settings.Preference == BackendPreference.Preferred ? "PREFERRED" : "DEFAULT",
            CapacityScaler = settings.CapacityScaler,
            TargetRequestsPerSecond = Rounded.To3(backend.TargetRatePerSecond),
            TargetInFlightRequests = Rounded.To3(backend.TargetInFlight),
            TargetUtilizationRatio = Rounded.To3(settings.MaxUtilization),
            Fullness = Rounded.To3(backend.Fullness),
            Utilizations = [.. settings.CustomMetrics.Select((m, i) =>
                new UtilizationShape(m.ExportName, i < backend.Utilizations.Length ? Rounded.To3(backend.Utilizations[i]) : null, m.MaxUtilization, m.DryRun))],
            KvUtilizationRatio = MeanKv(backend),
            Drained = backend.Drained,
            TimeToFirstToken = latencies.FirstToken(label, backend.Id, LatencyCounts.Steps),
            TimePerOutputToken = latencies.OutputToken(label, backend.Id, LatencyCounts.Steps),
            Capacity = known is null ? null : [.. known.Capacity.Select(c => new CapacityShape(c.Measure, c.Formula, c.Value, c.DryRun))],
            Scope = known?.ScopeOrigin?.ToString(),
            Settings = withSettings && known is not null ? [.. known.Settings.Select(Manifests.Of)] : null,
        };
    }

    /// <summary>A mode as policies write it.</summary>
    public static string? WordOf(BalancingMode? mode) => mode switch
    {
        BalancingMode.Rate => "RATE",
        BalancingMode.InFlight => "IN_FLIGHT",
        BalancingMode.CustomMetrics => "CUSTOM_METRICS",
        BalancingMode.Utilization => "UTILIZATION",
        _ => null,
    };

    private static double? MeanKv(BackendSnapshot backend)
    {
        var sum = 0.0;
        var count = 0;
        foreach (var endpoint in backend.Endpoints)
        {
            if (endpoint.LastSample?.KvUtilizationRatio is not { } ratio) continue;
            sum += ratio;
            count++;
        }

        return count == 0 ? null : Rounded.To3(sum / count);
    }
}
