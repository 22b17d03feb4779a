using System.Collections.Immutable;
using Mesh.Core.Config;

namespace Mesh.Core.SpillOver;

/// <summary>The order in which a pool's backends fill, for those who explain a configuration: the very order that requests follow.</summary>
public static class FillOrder
{
    /// <summary>
    /// Backends tier by tier as seen from <paramref name="locality"/>; each tier gets what the tiers before it have no room for. Drained
    /// backends are listed too. Regions without a known round-trip time are ordered by name.
    /// </summary>
    public static ImmutableArray<ImmutableArray<BackendId>> Of(PoolConfig pool, Locality locality) =>
        [
            .. TierPlan.Create(pool.Backends.AsSpan(), locality, pool.TrafficDistribution.Algorithm).Tiers
                .Select(tier => tier.Select(i => pool.Backends[i].Id).ToImmutableArray()),
        ];
}
