using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.SpillOver;
using Mesh.Resources;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Effective;
using Mesh.Resources.Status;

namespace Mesh.Cli.Explaining;

/// <summary>Puts together what holds for one pool from a configuration without errors.</summary>
internal sealed class Explainer(LoadResult result, EffectivePool pool)
{
    private const string FlowControlPrefix = "flowControl.";
    private const string SchedulingPrefix = "scheduling.";

    private readonly PoolConfig _config = result.Config!.Pools.First(p => p.Id == pool.Id);

    /// <summary>Explains the pool, its backends cut down to one cluster's where <paramref name="cluster"/> is not null.</summary>
    public PoolExplanation Explain(string? cluster)
    {
        var policies = Attached().ToList();
        return new PoolExplanation
        {
            Pool = pool.Id.ToString(),
            LocalToCluster = _config.LocalToCluster,
            Policies = [.. policies.Select(p => new AttachedPolicy(p.Kind, $"{p.Namespace}/{p.Name}", p.File!, p.Line))],
            Settings = [.. pool.Settings.Where(s => !IsIn(s, FlowControlPrefix) && !IsIn(s, SchedulingPrefix))],
            FlowControl = Group(FlowControlPrefix),
            Scheduling = Group(SchedulingPrefix),
            Backends = [.. pool.Backends.Where(b => cluster is null || b.Id.Cluster == cluster).Select(Backend)],
            FillOrder = [.. Localities().Select(Fill)],
            Findings = [.. policies.Concat(Members()).SelectMany(s => s.Findings).Where(d => d.Severity != Severity.Info).Distinct()],
        };
    }

    private ImmutableArray<EffectiveSetting> Group(string prefix) =>
        [.. pool.Settings.Where(s => IsIn(s, prefix)).Select(s => s with { Name = s.Name[prefix.Length..] })];

    private static bool IsIn(EffectiveSetting setting, string prefix) => setting.Name.StartsWith(prefix, StringComparison.Ordinal);

    private IEnumerable<ResourceStatus> Attached()
    {
        var configCluster = result.Config!.Clusters.First(c => c.IsConfigCluster).Name;
        return new[]
        {
            ("GCPBackendPolicy", pool.BackendPolicy), ("HealthCheckPolicy", pool.HealthCheckPolicy),
            ("GCPTrafficDistributionPolicy", pool.TrafficDistributionPolicy),
            ("FlowControlPolicy", pool.FlowControlPolicy), ("KvEventsPolicy", pool.KvEventsPolicy), ("SchedulingProfile", pool.SchedulingProfile),
        }.SelectMany(p =>
            result.Statuses.Where(s => s.Cluster == configCluster && s.Kind == p.Item1 && $"{s.Namespace}/{s.Name}" == p.Item2));
    }

    private IEnumerable<ResourceStatus> Members() => result.Statuses.Where(s =>
        s.Kind == "InferencePool" && s.Namespace == pool.Id.Namespace
        && (_config.LocalToCluster is { } local ? s.Cluster == local && $"{s.Name}@{local}" == pool.Id.Name : s.Name == pool.Id.Name));

    private BackendExplanation Backend(EffectiveBackend backend) => new()
    {
        Id = backend.Id.ToString(),
        Cluster = backend.Id.Cluster,
        Region = backend.Region,
        Labels = backend.Labels,
        Endpoints = backend.EndpointCount,
        Scope = backend.ScopeOrigin,
        ScopesOfPolicy = pool.ScopeCount,
        Settings = backend.Settings,
        Targets = backend.Capacity,
    };

    /// <summary>Every region of the fleet, and every zone of it where zones matter.</summary>
    private IEnumerable<Locality> Localities()
    {
        var byZone = _config.TrafficDistribution.Algorithm == ServiceLbAlgorithm.WaterfallByZone;
        return result.Config!.Clusters
            .Select(c => new Locality { Region = c.Region, Zone = byZone ? c.Zone : "" }).DistinctBy(l => (l.Region, l.Zone))
            .OrderBy(l => l.Region, StringComparer.Ordinal).ThenBy(l => l.Zone, StringComparer.Ordinal);
    }

    private FillExplanation Fill(Locality locality)
    {
        var backends = _config.Backends.ToDictionary(b => b.Id);
        var tiers = FillOrder.Of(_config, locality).Select(tier => tier.Select(id => backends[id]).Select(b =>
            new FillPlace(b.Id.ToString(), b.Region, b.Settings.Preference, b.Settings.CapacityScaler <= 0)).ToImmutableArray());
        return new FillExplanation(locality.Region, locality.Zone.Length == 0 ? null : locality.Zone, [.. tiers]);
    }
}
