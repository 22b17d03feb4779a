using Mesh.Core.Leases;
using Mesh.Core.Routing;
using Mesh.Engine;
using Mesh.Grains.Contracts;
using Mesh.Grains.Snapshots;

namespace Mesh.Grains.Tests;

/// <summary>A gateway whose signs of life do not come through, while everything else does: as on a machine with far too much to do.</summary>
public sealed class QuietSessionTests : IAsyncLifetime
{
    private static readonly TimeSpan SessionTimeout = TimeSpan.FromSeconds(1);
    private static readonly GatewaySession Session = new("gateway", 1);
    private SimulatedEndpoints _endpoints = null!;
    private MeshCluster _cluster = null!;
    private IPoolGrain _pool = null!;

    public async Task InitializeAsync()
    {
        _endpoints = await SimulatedEndpoints.StartAsync(1);
        _cluster = await MeshCluster.StartAsync(
            _endpoints.Config(inFlight: 1), silos: 1,
            engine: new EngineOptions { HeartbeatInterval = TimeSpan.FromMilliseconds(300), Pool = new PoolStateOptions { SessionTimeout = SessionTimeout } });
        _pool = _cluster.Pool(SimulatedEndpoints.PoolId);
        await Eventually.HoldsAsync(async () => SnapshotJson.ReadPool(await _pool.Snapshot()).Backends[0].HealthyEndpoints == 1, "healthy");
    }

    public async Task DisposeAsync()
    {
        await _cluster.DisposeAsync();
        await _endpoints.DisposeAsync();
    }

    [Fact]
    public async Task Route_AskedAgainForLongWithoutASignOfLife_KeepsItsPlaceAndIsPlaced()
    {
        var epoch = (await _pool.Keep()).Epoch;
        var key = (await _pool.Announce(new Announcement { Session = Session, Epoch = epoch, Sequence = 1 })).Key;
        var placed = new List<RouteReply>();
        var waiting = 0L;
        for (var number = 1L; waiting == 0; number++)
        {
            var reply = await _pool.Route(Call(epoch, key, number));
            if (reply.Kind == ReplyKind.Send) placed.Add(reply);
            else waiting = number;
        }

        // Each of these waits at the pool for 250 ms.
        var began = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(began) < 2 * SessionTimeout)
        {
            Assert.Equal(ReplyKind.StillWaiting, (await _pool.Route(Call(epoch, key, waiting))).Kind);
        }

        Assert.Equal((placed.Count, 1), ((await _pool.Keep()).Leases, (await _pool.Keep()).WaitingCalls));
        await _pool.TellAsync(new FeedbackBatch
        {
            Epoch = epoch, Session = key, Sequence = 2,
            Items = [.. placed.Select(p => new FeedbackItem { Kind = FeedbackKind.Complete, Lease = new LeaseId(p.LeaseEpoch, p.LeaseSequence) })],
        });
        await Eventually.HoldsAsync(async () => (await _pool.Route(Call(epoch, key, waiting))).Kind == ReplyKind.Send, "the one that waited is placed");
    }

    private static RouteCall Call(long epoch, int key, long number) => new()
    {
        Epoch = epoch, Session = key, Number = number, Settled = 1, RequestId = $"r{number}", PromptTokens = 10, MaxOutputTokens = 10,
    };
}
