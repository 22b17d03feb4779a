using Mesh.Core.Leases;
using Mesh.Grains.Contracts;

namespace Mesh.Grains.Tests;

/// <summary>The contract of a pool's grain, call by call: what a gateway of any version may rely on.</summary>
public sealed class PoolGrainTests : IAsyncLifetime
{
    private static readonly GatewaySession Session = new("gateway", 1);
    private SimulatedEndpoints _endpoints = null!;
    private MeshCluster _cluster = null!;
    private IPoolGrain _pool = null!;

    public async Task InitializeAsync()
    {
        _endpoints = await SimulatedEndpoints.StartAsync(2);
        _cluster = await MeshCluster.StartAsync(_endpoints.Config(), silos: 1);
        _pool = _cluster.Pool(SimulatedEndpoints.PoolId);
        await Eventually.HoldsAsync(
            async () => Mesh.Grains.Snapshots.SnapshotJson.ReadPool(await _pool.Snapshot()).Backends[0].HealthyEndpoints == 2, "healthy");
    }

    public async Task DisposeAsync()
    {
        await _cluster.DisposeAsync();
        await _endpoints.DisposeAsync();
    }

    [Fact]
    public async Task Route_BeforeAnnouncement_AsksForOne()
    {
        var epoch = (await _pool.Keep()).Epoch;

        Assert.Equal(RouteReply.Of(ReplyKind.Announce, epoch), await _pool.Route(Call(epoch, 1, 1)));
        Assert.True((await _pool.Heartbeat(new SessionCall(Session, epoch, 0, 1))).MustAnnounce);
    }

    [Fact]
    public async Task Route_AskedAgainUnderTheSameNumber_ReservesOnce()
    {
        var (epoch, key) = await AnnounceAsync();

        var first = await _pool.Route(Call(epoch, key, 1));
        var again = await _pool.Route(Call(epoch, key, 1));
        var other = await _pool.Route(Call(epoch, key, 2));

        Assert.Equal(ReplyKind.Send, first.Kind);
        Assert.Equal(first, again);
        Assert.NotEqual(first.LeaseSequence, other.LeaseSequence);
        Assert.Equal(2, (await _pool.Keep()).Leases);
    }

    [Fact]
    public async Task Route_OvertakenByTheWordThatItIsSettled_IsNotPlaced()
    {
        var (epoch, key) = await AnnounceAsync();
        await _pool.Heartbeat(new SessionCall(Session, epoch, key, Settled: 5));

        Assert.Equal(ReplyKind.StillWaiting, (await _pool.Route(Call(epoch, key, 4))).Kind);
        Assert.Equal(0, (await _pool.Keep()).Leases);
        Assert.Equal(ReplyKind.Send, (await _pool.Route(Call(epoch, key, 5))).Kind);
    }

    [Fact]
    public async Task Feedback_CancelOfAPlacedCall_GivesTheLeaseBack_AndItIsNotPlacedAnyMore()
    {
        var (epoch, key) = await AnnounceAsync();
        await _pool.Route(Call(epoch, key, 1));
        var cancel = new FeedbackItem { Kind = FeedbackKind.Cancel, Lease = new LeaseId(0, 1) };
        var unasked = new FeedbackItem { Kind = FeedbackKind.Cancel, Lease = new LeaseId(0, 2) };

        await _pool.TellAsync(new FeedbackBatch { Epoch = epoch, Session = key, Sequence = 2, Items = [cancel, unasked] });

        Assert.Equal(ReplyKind.StillWaiting, (await _pool.Route(Call(epoch, key, 1))).Kind);
        Assert.Equal(ReplyKind.StillWaiting, (await _pool.Route(Call(epoch, key, 2))).Kind);
        Assert.Equal(0, (await _pool.Keep()).Leases);
    }

    [Fact]
    public async Task Announce_OvertakenByALaterBatch_DoesNotBringALeaseBack()
    {
        var (epoch, key) = await AnnounceAsync();
        var held = new HeldLease(new LeaseId(5, 5), _endpoints.Ids[0], 10, 10, FirstByteSeen: false);
        await _pool.TellAsync(new FeedbackBatch { Epoch = epoch, Session = key, Sequence = 3 });

        await _pool.Announce(new Announcement { Session = Session, Epoch = epoch, Sequence = 2, Held = [held] });
        Assert.Equal(0, (await _pool.Keep()).Leases);

        await _pool.Announce(new Announcement { Session = Session, Epoch = epoch, Sequence = 4, Held = [held] });
        Assert.Equal(1, (await _pool.Keep()).Leases);
    }

    [Fact]
    public async Task Announce_CallsThatWait_AreEnteredAndFound()
    {
        var epoch = (await _pool.Keep()).Epoch;
        var waiting = new[] { Call(epoch, 0, 1), Call(epoch, 0, 2) };

        var reply = await _pool.Announce(new Announcement { Session = Session, Epoch = epoch, Sequence = 1, Waiting = waiting });

        Assert.Equal(2, (await _pool.Keep()).Leases);
        Assert.Equal(ReplyKind.Send, (await _pool.Route(Call(epoch, reply.Key, 2))).Kind);
        Assert.Equal(2, (await _pool.Keep()).Leases);
    }

    [Fact]
    public async Task Route_OldEpoch_IsNotCarriedOut()
    {
        var (epoch, key) = await AnnounceAsync();

        Assert.Equal(ReplyKind.Announce, (await _pool.Route(Call(epoch - 1, key, 1))).Kind);
        Assert.True((await _pool.TellAsync(new FeedbackBatch { Epoch = epoch - 1, Session = key, Sequence = 9 })).MustAnnounce);
        Assert.Equal(0, (await _pool.Keep()).Leases);
    }

    [Fact]
    public async Task Route_HigherEpoch_EndsTheActivation_AndTheNextIsHigherStill()
    {
        var (epoch, key) = await AnnounceAsync();

        Assert.Equal(ReplyKind.Superseded, (await _pool.Route(Call(epoch + 1000, key, 1))).Kind);

        await Eventually.HoldsAsync(async () => (await _pool.Keep()).Epoch > epoch + 1000, "a later activation");
    }

    private static RouteCall Call(long epoch, int key, long number) => new()
    {
        Epoch = epoch, Session = key, Number = number, Settled = 1, RequestId = $"r{number}", PromptTokens = 10, MaxOutputTokens = 10,
    };

    private async Task<(long Epoch, int Key)> AnnounceAsync()
    {
        var epoch = (await _pool.Keep()).Epoch;
        var reply = await _pool.Announce(new Announcement { Session = Session, Epoch = epoch, Sequence = 1 });
        Assert.False(reply.MustAnnounce);
        return (epoch, reply.Key);
    }
}
