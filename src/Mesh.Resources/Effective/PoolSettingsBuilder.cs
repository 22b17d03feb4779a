using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Resources.Compiling;
using Mesh.Resources.Reading;
using Mesh.Resources.Types;

namespace Mesh.Resources.Effective;

/// <summary>Settings of a whole pool, together with where each was taken from.</summary>
internal sealed class PoolSettingsBuilder(World world, PoolDraft pool)
{
    private readonly GcpBackendPolicy? _backend = world.Attachments.Of<GcpBackendPolicy>(pool.Id);
    private readonly HealthCheckPolicy? _health = world.Attachments.Of<HealthCheckPolicy>(pool.Id);
    private readonly FlowControlPolicy? _flow = world.Attachments.Of<FlowControlPolicy>(pool.Id);
    private readonly KvEventsPolicy? _events = world.Attachments.Of<KvEventsPolicy>(pool.Id);
    private readonly SchedulingProfile? _scheduling = world.Attachments.Of<SchedulingProfile>(pool.Id);
    private readonly GcpTrafficDistributionPolicy? _traffic = world.Attachments.Of<GcpTrafficDistributionPolicy>(pool.Id);
    private readonly ImmutableArray<EffectiveSetting>.Builder _shown = ImmutableArray.CreateBuilder<EffectiveSetting>();

    public (PoolConfig Config, EffectivePool Effective) Build()
    {
        // The traffic policy's affinity wins: it is the newer place of the two.
        var affinity = _traffic?.Affinity ?? _backend?.Affinity;
        var distribution = Distribution();
        var health = Health();
        var config = new PoolConfig
        {
            Id = pool.Id,
            LocalToCluster = pool.LocalToCluster,
            HealthCheck = health,
            Timeout = TimeSpan.FromSeconds(_backend?.TimeoutSec?.Value ?? 30),
            DrainingTimeout = TimeSpan.FromSeconds(_backend?.DrainingTimeoutSec?.Value ?? 0),
            DrainingLimit = _backend?.DrainingTimeoutSec is { } limit ? TimeSpan.FromSeconds(limit.Value) : null,
            SessionAffinity = affinity?.Config ?? SessionAffinityConfig.None,
            LogSampleRatio = _backend?.LogEnabled is { Value: true } ? (_backend.LogSampleRate?.Value ?? 1_000_000) / 1e6 : 0,
            TrafficDistribution = distribution,
            ModelRewrites = ModelRewriteCompiler.Compile(world, pool),
            FlowControl = FlowControlCompiler.Compile(_flow, _scheduling),
            KvEvents = KvEventsCompiler.Compile(_events),
            Scheduling = SchedulingCompiler.Compile(_scheduling),
        };
        Show("timeoutSec", SettingText.Seconds(config.Timeout), _backend, _backend?.TimeoutSec?.At);
        Show("connectionDraining.drainingTimeoutSec", SettingText.Seconds(config.DrainingTimeout), _backend, _backend?.DrainingTimeoutSec?.At);
        Show(
            "sessionAffinity", SettingText.Of(config.SessionAffinity), _traffic?.Affinity is null ? _backend : _traffic,
            affinity?.At);
        Show("logging.sampleRate", SettingText.Percent(config.LogSampleRatio), _backend, (_backend?.LogSampleRate?.At) ?? _backend?.LogEnabled?.At);
        Show("serviceLbAlgorithm", SettingText.Of(distribution.Algorithm), _traffic, _traffic?.Algorithm?.At);
        Show("enableAutoCapacityDrain", distribution.AutoCapacityDrain ? "true" : "false", _traffic, _traffic?.AutoCapacityDrain?.At);
        Show("failoverHealthThreshold", SettingText.Percent(distribution.FailoverHealthThreshold), _traffic, _traffic?.FailoverHealthThreshold?.At);
        Show("healthCheck", SettingText.Of(health), _health, _health?.At);
        foreach (var (name, value, at) in FlowControlCompiler.Describe(config.FlowControl, _flow))
        {
            // The order of those who wait can stand in two places; the flow control's holds.
            if (name == FlowControlCompiler.OrderName && at is null && _scheduling?.Order is { } order) Show(name, value, _scheduling, order.At);
            else Show(name, value, _flow, at);
        }
        foreach (var (name, value, at) in KvEventsCompiler.Describe(config.KvEvents, _events)) Show(name, value, _events, at);
        foreach (var (name, value, at) in SchedulingCompiler.Describe(config.Scheduling, _scheduling)) Show(name, value, _scheduling, at);

        var backends = pool.Backends.Select(Backend).ToList();
        var effective = new EffectivePool
        {
            Id = pool.Id,
            BackendPolicy = _backend?.Header.FullName,
            ScopeCount = _backend?.Scopes.Length ?? 0,
            HealthCheckPolicy = _health?.Header.FullName,
            TrafficDistributionPolicy = _traffic?.Header.FullName,
            FlowControlPolicy = _flow?.Header.FullName,
            KvEventsPolicy = _events?.Header.FullName,
            SchedulingProfile = _scheduling?.Header.FullName,
            Settings = _shown.ToImmutable(),
            Backends = [.. backends.Select(b => b.Effective)],
        };
        return (config with { Backends = [.. backends.Select(b => b.Config)] }, effective);
    }

    private (BackendConfig Config, EffectiveBackend Effective) Backend(BackendDraft draft)
    {
        var scope = _backend is null ? null : ScopeResolver.Resolve(_backend, draft.Labels);
        var (settings, shown, capacity) = new BackendSettingsBuilder(_backend, scope, draft.Endpoints.Length).Build();
        var config = new BackendConfig
        {
            Id = draft.Id,
            Region = draft.Region,
            Settings = settings,
            Endpoints = [.. draft.Endpoints.Select(e => EndpointCompiler.Compile(world, pool, e))],
        };
        return (config, new EffectiveBackend
        {
            Id = draft.Id,
            Region = draft.Region,
            Labels = draft.Labels,
            EndpointCount = draft.Endpoints.Length,
            Scope = scope?.Index,
            ScopeOrigin = scope is null ? null : Origins.Of(_backend, scope, scope.At, null),
            Settings = shown,
            Capacity = capacity,
        });
    }

    private TrafficDistributionConfig Distribution()
    {
        var builtIn = TrafficDistributionConfig.Default;
        return _traffic is null ? builtIn : new TrafficDistributionConfig
        {
            Algorithm = _traffic.Algorithm?.Value ?? builtIn.Algorithm,
            AutoCapacityDrain = _traffic.AutoCapacityDrain?.Value ?? builtIn.AutoCapacityDrain,
            FailoverHealthThreshold = _traffic.FailoverHealthThreshold is { } percent
                ? percent.Value / 100.0
                : builtIn.FailoverHealthThreshold,
        };
    }

    private HealthCheckConfig Health()
    {
        if (_health is null) return new HealthCheckConfig();
        return _health.PortName is null ? _health.Check : _health.Check with { Port = NamedPort.Resolve(pool, _health.PortName.Value) };
    }

    private void Show(string name, string value, Resource? policy, Spot? at) =>
        _shown.Add(new EffectiveSetting(name, value, Origins.Of(policy, at)));
}
