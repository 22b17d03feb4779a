using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.Sharding;
using Mesh.Grains.Contracts;
using Mesh.Grains.Federation;
using Mesh.Grains.Hosting;
using Mesh.Grains.Placing;
using Mesh.Grains.Pools;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using Orleans.Runtime.Placement;

namespace Mesh.Grains.Keeping;

/// <summary>
/// Keeps one region's clusters and every pool running, and knows how they are. The grain of the silos' own region stands for it among its peers, too: it runs the
/// hub that follows each of them once, and whose reports the gateways relay.
/// </summary>
[Reentrant, KeepAlive, SteadyPlacement, GrainType(TypeName)]
internal sealed class RegionGrain(SiloMesh mesh, ILoggerFactory loggers) : KeeperGrain(mesh), IRegionGrain, IRegionFederationGrain
{
    /// <summary>Type of a region's grain.</summary>
    public const string TypeName = "mesh.region";

    private RegionStatus _status = new();
    private RegionHub? _hub;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        await base.OnActivateAsync(cancellationToken);
        if (Mesh.Federation is not { } federation || federation.Settings.Region != this.GetPrimaryKeyString()) return;
        _hub = RegionHub.Start(federation, Mesh, GrainFactory, loggers);
        Mesh.Spokesman = this;
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        await base.OnDeactivateAsync(reason, cancellationToken);
        if (_hub is not { } hub) return;
        _hub = null;
        if (ReferenceEquals(Mesh.Spokesman, this)) Mesh.Spokesman = null;
        await hub.DisposeAsync().AsTask().WaitAsync(cancellationToken);
    }

    /// <summary>Moves to another silo; ends when it has left this one. Thread-safe.</summary>
    public Task MoveTo(SiloAddress silo)
    {
        RequestContext.Set(IPlacementDirector.PlacementHintKey, silo);
        MigrateOnIdle();
        return GrainContext.Deactivated;
    }

    public ValueTask<RegionStatus> Keep() => new(_status with { Silo = Silo, Epoch = _hub?.Epoch ?? 0, Age = Age, Streams = _hub?.Streams ?? 0 });

    public ValueTask<RegionNews> News() => new(_hub?.News() ?? new RegionNews());

    public ValueTask Sooner(PoolId pool)
    {
        _hub?.Sooner();
        return default;
    }

    public ValueTask<ReportPage> ReadReports(ReportCall call) =>
        _hub is { } hub ? new ValueTask<ReportPage>(hub.ReadAsync(call)) : new ValueTask<ReportPage>(new ReportPage([], HasEnded: true));

    public ValueTask<byte[]?> Configuration() => new(_hub?.Configuration());

    protected override async Task GoRoundAsync()
    {
        GiveWay();
        var current = Mesh.Configuration.Current;
        var clusters = current.Regions.TryGetValue(this.GetPrimaryKeyString(), out var names) ? names : [];
        var pools = current.Config.Pools.SelectMany(p => ShardsOf(p.Id)).ToImmutableArray();
        var poolRound = Rounds.GoAsync(pools, key => GrainFactory.GetGrain<IPoolGrain>(key).Keep());
        var clusterRound = Rounds.GoAsync(clusters, name => GrainFactory.GetGrain<IClusterGrain>(name).Keep());
        _status = new RegionStatus { Pools = [.. await poolRound], Clusters = [.. await clusterRound] };
    }

    // As many as were heard of in the last round: all of a pool's shards are to run without a request's waking them.
    private IEnumerable<string> ShardsOf(PoolId pool)
    {
        var name = pool.ToString();
        var count = 1;
        foreach (var status in _status.Pools)
        {
            if (status.Name == name) count = Math.Clamp(status.Shards.Count, 1, ShardMap.Most);
        }

        return Enumerable.Range(0, count).Select(shard => PoolKey.Of(pool, shard));
    }

    // Another activation has taken this one's place, as far as pools know: two hubs must not speak for one region.
    private void GiveWay()
    {
        _hub?.ForgetIdle();
        if (_hub is not { SupersededBy: > 0 and var newer }) return;
        Mesh.RegionEpochs.Saw(newer);
        DeactivateOnIdle();
    }
}
