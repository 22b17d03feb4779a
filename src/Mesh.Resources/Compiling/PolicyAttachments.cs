using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Resources.Types;

namespace Mesh.Resources.Compiling;

/// <summary>Which policy holds for which pool: one of each kind, the oldest; the others are kept to be reported.</summary>
internal sealed class PolicyAttachments
{
    private readonly Dictionary<(Type, PoolId), Resource> _attached = [];
    private readonly List<(Resource Policy, LocalRef Target, Resource Winner)> _losers = [];

    /// <summary>Policies that stand back behind an older one of the same target.</summary>
    public IReadOnlyList<(Resource Policy, LocalRef Target, Resource Winner)> Losers => _losers;

    public T? Of<T>(PoolId pool)
        where T : Resource => _attached.GetValueOrDefault((typeof(T), pool)) as T;

    public static PolicyAttachments Build(World world)
    {
        var attachments = new PolicyAttachments();
        attachments.Attach(world.Effective<GcpBackendPolicy>().Select(p => (p, Listed(p.Target))));
        attachments.Attach(world.Effective<HealthCheckPolicy>().Select(p => (p, Listed(p.Target))));
        attachments.Attach(world.Effective<FlowControlPolicy>().Select(p => (p, Listed(p.Target))));
        attachments.Attach(world.Effective<KvEventsPolicy>().Select(p => (p, Listed(p.Target))));
        attachments.Attach(world.Effective<SchedulingProfile>().Select(p => (p, Listed(p.Target))));
        attachments.Attach(world.Effective<GcpTrafficDistributionPolicy>().Select(p => (p, p.Targets)));
        return attachments;
    }

    /// <summary>Every policy that has an effect, with each of its targets.</summary>
    public static IEnumerable<(ResourceHeader Policy, LocalRef Target)> Targets(World world) =>
        ((IEnumerable<IPolicy>)
            [.. world.Effective<GcpBackendPolicy>(), .. world.Effective<HealthCheckPolicy>(),
            .. world.Effective<FlowControlPolicy>(), .. world.Effective<KvEventsPolicy>(), .. world.Effective<SchedulingProfile>()])
            .Where(p => p.Target is not null).Select(p => (p.Header, p.Target!))
            .Concat(world.Effective<GcpTrafficDistributionPolicy>().SelectMany(p => p.Targets.Select(t => (p.Header, t))));

    /// <summary>Identity of the pool that a policy names; null for targets that are no pools.</summary>
    public static PoolId? PoolOf(ResourceHeader policy, LocalRef target) => target switch
    {
        { Group: GcpInferencePoolImport.Group, Kind: GcpInferencePoolImport.KindName } => new PoolId(policy.Namespace, target.Name),
        { Group: InferencePool.Group, Kind: "InferencePool" } => PoolDraft.LocalId(policy.Cluster, policy.Namespace, target.Name),
        _ => null,
    };

    private void Attach<T>(IEnumerable<(T Policy, ImmutableArray<LocalRef> Targets)> policies)
        where T : Resource
    {
        foreach (var (policy, targets) in policies.OrderBy(p => p.Policy.Header, Age.Comparer))
        {
            foreach (var target in targets)
            {
                if (PoolOf(policy.Header, target) is not { } pool) continue;
                if (_attached.TryAdd((typeof(T), pool), policy)) continue;
                var winner = _attached[(typeof(T), pool)];
                if (winner != policy) _losers.Add((policy, target, winner));
            }
        }
    }

    private static ImmutableArray<LocalRef> Listed(LocalRef? target) => target is null ? [] : [target];
}

/// <summary>Order of precedence among objects that claim the same: the oldest first, then by namespace, name and cluster.</summary>
internal static class Age
{
    public static Comparer<ResourceHeader> Comparer { get; } = Comparer<ResourceHeader>.Create((a, b) =>
    {
        // What has no creation time was never created in a cluster: it stands behind what has one.
        var byTime = (a.CreatedAt ?? DateTimeOffset.MaxValue).CompareTo(b.CreatedAt ?? DateTimeOffset.MaxValue);
        if (byTime != 0) return byTime;
        var bySpace = string.CompareOrdinal(a.Namespace, b.Namespace);
        if (bySpace != 0) return bySpace;
        var byName = string.CompareOrdinal(a.Name, b.Name);
        return byName != 0 ? byName : string.CompareOrdinal(a.Cluster, b.Cluster);
    });
}
