using System.Collections.Immutable;
using System.Globalization;
using Mesh.Core.Config;
using Mesh.Resources.Compiling;
using Mesh.Resources.Reading;
using Mesh.Resources.Types;

namespace Mesh.Resources.Effective;

/// <summary>Settings of one backend, together with where each was taken from, so that what is explained is what runs.</summary>
internal sealed class BackendSettingsBuilder(GcpBackendPolicy? policy, PolicyScope? scope, int endpoints)
{
    private readonly BackendFields _unit = policy is null ? BackendFields.None : ScopeResolver.Unit(policy, scope);
    private readonly ImmutableArray<EffectiveSetting>.Builder _shown = ImmutableArray.CreateBuilder<EffectiveSetting>();
    private readonly ImmutableArray<CapacityTarget>.Builder _capacity = ImmutableArray.CreateBuilder<CapacityTarget>();

    public (BackendSettings Settings, ImmutableArray<EffectiveSetting> Shown, ImmutableArray<CapacityTarget> Capacity) Build()
    {
        var mode = CapacityUnit.Mode(_unit);
        var preference = Pick(f => f.Preference);
        var scaler = Pick(f => f.CapacityScalerPercent);
        var settings = new BackendSettings
        {
            Preference = preference?.Value ?? BackendPreference.Default,
            Mode = mode,
            CapacityScaler = (scaler?.Value ?? 100) / 100.0,
            MaxRatePerEndpoint = _unit.MaxRatePerEndpoint?.Value,
            MaxInFlightPerEndpoint = _unit.MaxInFlightPerEndpoint?.Value,
            MaxUtilization = mode == BalancingMode.Utilization
                ? _unit.MaxUtilization?.Value ?? UtilizationTarget.Default
                : _unit.MaxUtilization?.Value,
            CustomMetrics = Metrics(),
            TrafficDuration = Duration(mode),
        };
        Show("backendPreference", settings.Preference == BackendPreference.Preferred ? "PREFERRED" : "DEFAULT", preference?.At);
        ShowMode(mode);
        if (settings.MaxRatePerEndpoint is { } rate) Show("maxRatePerEndpoint", $"{Text(rate)} requests/s", _unit.MaxRatePerEndpoint!.At);
        if (settings.MaxInFlightPerEndpoint is { } flight)
            Show("maxInFlightPerEndpoint", $"{flight} requests", _unit.MaxInFlightPerEndpoint!.At);
        if (settings.MaxUtilization is { } utilization) Show("maxUtilization", Percent(utilization), _unit.MaxUtilization?.At);
        foreach (var (metric, read) in settings.CustomMetrics.Zip(_unit.CustomMetrics?.Value ?? []))
            Show(
                $"customMetrics.{metric.ExportName}",
                Percent(metric.MaxUtilization) + (read.MaxUtilization is null ? " by default" : "") + (metric.DryRun ? ", dry run" : ""),
                read.MaxUtilization?.At ?? read.At);
        Show(BackendFields.ScalerName, $"{scaler?.Value ?? 100}%", scaler?.At);
        if (settings.TrafficDuration is { } duration) ShowDuration(duration);
        AddCapacity(settings);
        return (settings, _shown.ToImmutable(), _capacity.ToImmutable());
    }

    private Located<T>? Pick<T>(Func<BackendFields, Located<T>?> field) =>
        policy is null ? null : (scope is null ? null : field(scope.Fields)) ?? field(policy.Default);

    private ImmutableArray<CustomMetricTarget> Metrics() =>
        [.. (_unit.CustomMetrics?.Value ?? []).Select(m => new CustomMetricTarget(m.ExportName, m.MaxUtilization?.Value ?? UtilizationTarget.Default, m.DryRun))];

    /// <summary>What the policy says, else what the unit needs; the documented default SHORT where it could be either.</summary>
    private TrafficDuration? Duration(BalancingMode? mode) =>
        policy?.TrafficDuration?.Value ?? (mode is null ? null : CapacityUnit.NeededDuration(_unit) ?? TrafficDuration.Short);

    private void ShowMode(BalancingMode? mode)
    {
        if (mode is null) Show("balancingMode", "none: no target is set", null);
        else if (_unit.Mode is not null) Show("balancingMode", CapacityUnit.Word(mode.Value), _unit.Mode.At);
        else Show("balancingMode", CapacityUnit.Word(mode.Value), _unit.Unit.First().At, OriginKind.Inferred);
    }

    private void ShowDuration(TrafficDuration duration)
    {
        var word = duration == TrafficDuration.Long ? "LONG" : "SHORT";
        if (policy?.TrafficDuration is { } own) Show("trafficDuration", word, own.At);
        else if (CapacityUnit.NeededDuration(_unit) is not null) Show("trafficDuration", word, _unit.Unit.First().At, OriginKind.Inferred);
        else Show("trafficDuration", word, null);
    }

    private void Show(string name, string value, Spot? at, OriginKind? kind = null) =>
        _shown.Add(new EffectiveSetting(name, value, Origins.Of(policy, scope, at, kind)));

    private void AddCapacity(BackendSettings s)
    {
        var scaler = Percent(s.CapacityScaler);
        var count = $"{endpoints} {(endpoints == 1 ? "endpoint" : "endpoints")}";
        if (s.MaxRatePerEndpoint is { } rate)
            _capacity.Add(
                new CapacityTarget("requests per second", $"{count} × {Text(rate)} × {scaler}", endpoints * rate * s.CapacityScaler));
        if (s.MaxInFlightPerEndpoint is { } flight)
            _capacity.Add(
                new CapacityTarget("requests in flight", $"{count} × {flight} × {scaler}", (double)endpoints * flight * s.CapacityScaler));
        if (s is { Mode: BalancingMode.Utilization, MaxUtilization: { } utilization })
            _capacity.Add(new CapacityTarget("average utilization", $"{Percent(utilization)} × {scaler}", utilization * s.CapacityScaler));
        foreach (var metric in s.CustomMetrics)
            _capacity.Add(
                new CapacityTarget($"average of {metric.ExportName}", $"{Percent(metric.MaxUtilization)} × {scaler}", metric.MaxUtilization * s.CapacityScaler, metric.DryRun));
    }

    private static string Percent(double ratio) => Text(ratio * 100) + "%";

    private static string Text(double number) => number.ToString("0.######", CultureInfo.InvariantCulture);
}
