using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Reading;

namespace Mesh.Resources.Types;

/// <summary>The fields of a backend policy that can stand in <c>default</c> or in a scope.</summary>
internal sealed record BackendFields
{
    public const string ScalerName = "capacityScalerPercent";

    private static readonly (string, BalancingMode)[] _modes =
    [
        ("RATE", BalancingMode.Rate), ("IN_FLIGHT", BalancingMode.InFlight),
        ("CUSTOM_METRICS", BalancingMode.CustomMetrics), ("UTILIZATION", BalancingMode.Utilization),
    ];

    public static BackendFields None { get; } = new();

    public Located<BackendPreference>? Preference { get; private init; }

    public Located<BalancingMode>? Mode { get; private init; }

    public Located<int>? CapacityScalerPercent { get; private init; }

    public Located<ImmutableArray<CustomMetric>>? CustomMetrics { get; private init; }

    public Located<int>? MaxInFlightPerEndpoint { get; private init; }

    public Located<double>? MaxRatePerEndpoint { get; private init; }

    /// <summary>Target of UTILIZATION, 0–1.</summary>
    public Located<double>? MaxUtilization { get; private init; }

    /// <summary>Fields that are set, by their first name, those of the mode-and-capacity unit first.</summary>
    public IEnumerable<(string Name, Spot At)> Present => Unit.Concat(Others);

    /// <summary>The mode and its capacity fields, which count as one unit: they stand in <c>default</c> or in scopes, not in both.</summary>
    public IEnumerable<(string Name, Spot At)> Unit
    {
        get
        {
            if (Mode is not null) yield return ("balancingMode", Mode.At);
            if (MaxRatePerEndpoint is not null) yield return ("maxRatePerEndpoint", MaxRatePerEndpoint.At);
            if (MaxInFlightPerEndpoint is not null) yield return ("maxInFlightPerEndpoint", MaxInFlightPerEndpoint.At);
            if (CustomMetrics is not null) yield return ("customMetrics", CustomMetrics.At);
            if (MaxUtilization is not null) yield return ("maxUtilization", MaxUtilization.At);
        }
    }

    /// <summary>The fields that stand for themselves.</summary>
    public IEnumerable<(string Name, Spot At)> Others
    {
        get
        {
            if (Preference is not null) yield return ("backendPreference", Preference.At);
            if (CapacityScalerPercent is not null) yield return (ScalerName, CapacityScalerPercent.At);
        }
    }

    public static BackendFields Read(ObjectReader r)
    {
        r.Hide("dryRun", "capacityScalarPercent", "maxInFlightRequestsPerEndpoint");
        ReadStrayDryRun(r);
        var metrics = r.List("customMetrics", CustomMetric.Read, max: 2);
        foreach (var repeated in metrics.GroupBy(m => m.ExportName).Where(g => g.Count() > 1).Select(g => g.Last()))
            r.Report.Error(
                repeated.At, DiagnosticCodes.DuplicateValue, $"{repeated.At.Path}: {repeated.ExportName} stands in customMetrics twice",
                "name each metric once");
        return new BackendFields
        {
            Preference = r.Choice(
                "backendPreference", [("PREFERRED", BackendPreference.Preferred), ("DEFAULT", BackendPreference.Default)]),
            Mode = r.Choice("balancingMode", _modes),
            CapacityScalerPercent = Aliases.Read(r, ScalerName, "capacityScalarPercent", (o, n) => o.Int(n, 0, 100), warn: true),
            CustomMetrics = r.Has("customMetrics") ? new(metrics, r.SpotOf("customMetrics")) : null,
            MaxInFlightPerEndpoint = Aliases.Read(
                r, "maxInFlightPerEndpoint", "maxInFlightRequestsPerEndpoint", (o, n) => o.Int(n, 1, int.MaxValue), warn: false),
            MaxRatePerEndpoint = r.Number("maxRatePerEndpoint", 1, 1e9),
            MaxUtilization = UtilizationTarget.Read(r),
        };
    }

    /// <summary>dryRun belongs to a custom metric: false changes nothing, but true would silently switch a limit off.</summary>
    private static void ReadStrayDryRun(ObjectReader r)
    {
        if (r.Bool("dryRun") is not { } dryRun) return;
        if (dryRun.Value)
        {
            r.Report.Error(
                dryRun.At, DiagnosticCodes.StrayDryRun, "dryRun: true beside balancingMode would leave the backends without a limit",
                "dryRun is a field of customMetrics[]; leave it out here");
        }
        else
        {
            r.Report.Warning(
                dryRun.At, DiagnosticCodes.StrayDryRun, "dryRun is a field of customMetrics[] and has no meaning here", "leave it out");
        }
    }
}
