using Mesh.Core.Config;
using Mesh.Core.Routing;
using Mesh.Core.Sharding;
using Mesh.Core.Snapshots;
using Mesh.Core.SpillOver;
using Mesh.Engine;
using Mesh.Engine.Federation;
using Mesh.Grains.Contracts;
using Mesh.Grains.Federation;
using Mesh.Grains.Gateways;
using Mesh.Grains.Pools;
using Mesh.Grains.Snapshots;
using Mesh.Grains.Tests.Federation;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.Grains.Tests;

/// <summary>Three silos, a pool of two shards, a gateway that is their client, and a peer region that has no room.</summary>
public sealed class ShardedRouterContractTests : RouterContractTests
{
    private const int Shards = 2;
    private const string Region = "west";
    private MeshCluster _cluster = null!;
    private GrainEngine _engine = null!;
    private PeerInMemory _peer = null!;
    private IFederation _federation = null!;

    protected override int QueuesOf(int places) => places * Shards;

    protected override int FewestCandidates => 1;

    protected override int LeastOfTwenty => 1;

    protected override async Task<IMeshEngine> StartAsync(MeshConfig config)
    {
        _peer = new PeerInMemory(SimulatedEndpoints.PoolId, Region);
        var settings = new FederationSettings { Name = Region, Region = Region, Peers = [PeerInMemory.Address] };
        _cluster = await MeshCluster.StartAsync(
            config, adjust: o => o with { Sharding = new ShardingOptions { Shards = Shards, MostShards = Shards } },
            engine: new EngineOptions { Pool = new PoolStateOptions { Locality = new Locality { Region = Region } } },
            federation: new GrainFederation(settings, _ => _peer.Connect()));
        _engine = _cluster.AddGateway();
        _federation = _engine.Join(settings, _ => _peer.Connect(), NullLoggerFactory.Instance);
        _federation.Start();
        _peer.Gateways.Add(_federation);
        _peer.Start();
        await Eventually.HoldsAsync(
            () => _engine.Links.Links[SimulatedEndpoints.PoolId] is { Map.Count: Shards } pool && pool.Links.All(l => l.IsAnnounced)
                && pool.Links.Sum(l => l.LoadNow.Endpoints) == 2 && _peer.State == PeerReach.Healthy,
            "two shards with two endpoints, and the regions hear each other");
        return _engine;
    }

    protected override async Task StopAsync()
    {
        await _federation.DisposeAsync();
        await _peer.DisposeAsync();
        await _cluster.DisposeAsync();
    }

    protected override void Reconfigure(MeshConfig config)
    {
        _cluster.Configuration.Set(config);
        _engine.Reconfigure(config);
    }

    protected override async Task<PoolSnapshot> SnapshotAsync()
    {
        var shards = new List<PoolSnapshot>();
        for (var shard = 0; shard < Shards; shard++)
        {
            var grain = _cluster.Grains.GetGrain<IPoolGrain>(PoolKey.Of(SimulatedEndpoints.PoolId, shard));
            shards.Add(SnapshotClock.FromWire(SnapshotJson.ReadPool(await grain.Snapshot()), TimeProvider.System));
        }

        return ShardSnapshots.Sum(shards);
    }
}
