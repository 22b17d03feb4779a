using Mesh.Core.Leases;
using Mesh.Core.Routing;
using Mesh.Engine;
using Mesh.Grains.Contracts;
using Mesh.Grains.Snapshots;

namespace Mesh.Grains.Tests;

/// <summary>What a pool that moves because its silo stops knows on the next one before any gateway has said a word.</summary>
public sealed class HandoverTests : IAsyncLifetime
{
    private static readonly GatewaySession Session = new("gateway", 1);
    private SimulatedEndpoints _endpoints = null!;
    private MeshCluster _cluster = null!;
    private IPoolGrain _pool = null!;

    public async Task InitializeAsync()
    {
        _endpoints = await SimulatedEndpoints.StartAsync(2);
        // So that nobody is forgotten for silence while a busy machine stops a silo.
        _cluster = await MeshCluster.StartAsync(
            _endpoints.Config(), silos: 2, engine: new EngineOptions { Pool = new PoolStateOptions { SessionTimeout = TimeSpan.FromSeconds(60) } });
        _pool = _cluster.Pool(SimulatedEndpoints.PoolId);
        await Eventually.HoldsAsync(async () => await HealthyAsync() == 2, "healthy");
    }

    public async Task DisposeAsync()
    {
        await _cluster.DisposeAsync();
        await _endpoints.DisposeAsync();
    }

    [Fact]
    public async Task StopSilo_LeasesAndHealthAreKnownAtOnce_AndWhatNobodyHoldsComesBack()
    {
        var before = (await _pool.Keep()).Epoch;
        var key = (await _pool.Announce(new Announcement { Session = Session, Epoch = before, Sequence = 1 })).Key;
        var held = await _pool.Route(Call(before, key, 1));
        var unheard = await _pool.Route(Call(before, key, 2));
        Assert.Equal((ReplyKind.Send, ReplyKind.Send), (held.Kind, unheard.Kind));
        var silo = await _cluster.SiloOfAsync(SimulatedEndpoints.PoolId);

        await _cluster.Cluster.StopSiloAsync(silo);

        var after = await _pool.Keep();
        Assert.True(after.Epoch > before);
        Assert.Equal((2, 0), (after.Leases, after.Sessions));
        Assert.Equal(2, await HealthyAsync());

        // The gateway never had the second answer: it does not hold that lease, and asks again at once, without a pause.
        var lease = new LeaseId(held.LeaseEpoch, held.LeaseSequence);
        var reply = await _pool.Announce(new Announcement
        {
            Session = Session,
            Epoch = after.Epoch,
            Sequence = 1,
            Held = [new HeldLease(lease, new Mesh.Core.Endpoints.EndpointId(held.Endpoint!), 10, 10, FirstByteSeen: false)],
        });
        Assert.Equal(1, (await _pool.Keep()).Leases);
        Assert.Equal(ReplyKind.Announce, (await _pool.Route(Call(before, reply.Key, 2))).Kind);
        Assert.Equal(ReplyKind.Send, (await _pool.Route(Call(after.Epoch, reply.Key, 2))).Kind);
        Assert.Equal(2, (await _pool.Keep()).Leases);
    }

    private static RouteCall Call(long epoch, int key, long number) => new()
    {
        Epoch = epoch, Session = key, Number = number, Settled = 1, RequestId = $"r{number}", PromptTokens = 10, MaxOutputTokens = 10,
    };

    private async Task<int> HealthyAsync() => SnapshotJson.ReadPool(await _pool.Snapshot()).Backends[0].HealthyEndpoints;
}
