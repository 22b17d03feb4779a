using System.Collections.Immutable;
using Mesh.Grains.Contracts;
using Mesh.Grains.Hosting;
using Mesh.Grains.Placing;
using Orleans.Concurrency;

namespace Mesh.Grains.Keeping;

/// <summary>Keeps one region's clusters and every pool running, and knows how they are: what a region tells its peers starts here.</summary>
[Reentrant, KeepAlive, SteadyPlacement, GrainType("mesh.region")]
internal sealed class RegionGrain(SiloMesh mesh) : KeeperGrain(mesh), IRegionGrain
{
    private RegionStatus _status = new();

    public ValueTask<RegionStatus> Keep() => new(_status);

    protected override async Task GoRoundAsync()
    {
        var current = Mesh.Configuration.Current;
        var clusters = current.Regions.TryGetValue(this.GetPrimaryKeyString(), out var names) ? names : [];
        var pools = current.Config.Pools.Select(p => p.Id.ToString()).ToImmutableArray();
        var poolRound = Rounds.GoAsync(pools, key => GrainFactory.GetGrain<IPoolGrain>(key).Keep());
        var clusterRound = Rounds.GoAsync(clusters, name => GrainFactory.GetGrain<IClusterGrain>(name).Keep());
        _status = new RegionStatus { Silo = Silo, Pools = [.. await poolRound], Clusters = [.. await clusterRound] };
    }
}
