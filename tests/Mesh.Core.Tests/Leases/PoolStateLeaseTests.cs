using Mesh.Core.Endpoints;
using Mesh.Core.Leases;
using Mesh.Core.Routing;

namespace Mesh.Core.Tests.Leases;

public sealed class PoolStateLeaseTests
{
    private static readonly GatewaySession Other = new("other", 1);

    [Fact]
    public void Complete_Twice_HasEffectOnce()
    {
        var pool = new PoolFixture(1);
        var first = pool.Route();
        pool.Route();

        Assert.True(pool.Complete(first));
        Assert.False(pool.Complete(first));
        Assert.Equal(1, pool.Endpoint(0).InFlightRequests);
    }

    [Fact]
    public void Complete_AfterTheSlotHasANewTenant_DoesNotTouchIt()
    {
        var pool = new PoolFixture(1);
        var first = pool.Route();
        pool.Complete(first);
        var second = pool.Route();

        Assert.NotEqual(first.Lease, second.Lease);
        Assert.False(pool.Complete(first));
        Assert.True(pool.Complete(second));
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 4294967296)]
    [InlineData(1, -1)]
    [InlineData(0, 4294967296)]
    [InlineData(1, 4294967297)]
    public void Complete_UnknownId_IsFalse(long epoch, long sequence)
    {
        var pool = new PoolFixture(1);
        Assert.Equal(new LeaseId(1, 4294967296), pool.Route().Lease);

        Assert.False(pool.State.Complete(new LeaseId(epoch, sequence), new RequestOutcome(OutcomeKind.Success)));
        Assert.Equal(1, pool.Endpoint(0).InFlightRequests);
    }

    [Fact]
    public void ReportFirstByte_EndsThePrefillOnce()
    {
        var pool = new PoolFixture(1);
        var first = pool.Route(pool.Request(prompt: 100));
        var second = pool.Route(pool.Request(prompt: 30));

        pool.State.ReportFirstByte(first.Lease);
        pool.State.ReportFirstByte(first.Lease);
        Assert.Equal(30, pool.Endpoint(0).InFlightPrefillTokens);

        pool.Complete(first);
        pool.Complete(second);
        Assert.Equal((0L, 0L), (pool.Endpoint(0).InFlightPrefillTokens, pool.Endpoint(0).InFlightTokens));
    }

    [Fact]
    public void Tick_SilentSession_LosesItsLeasesAndNobodyElses()
    {
        var pool = new PoolFixture(1);
        var lost = pool.Route();
        var kept = pool.Route(pool.Request(session: Other));
        Assert.Equal(TimeSpan.FromSeconds(5), pool.State.Tick());

        pool.Time.Advance(TimeSpan.FromSeconds(3));
        pool.State.Heartbeat(Other);
        Assert.Equal(TimeSpan.FromSeconds(2), pool.State.Tick());
        pool.Time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(TimeSpan.FromSeconds(3), pool.State.Tick());

        Assert.Equal(1, pool.Endpoint(0).InFlightRequests);
        Assert.False(pool.Complete(lost));
        Assert.True(pool.Complete(kept));
    }

    [Fact]
    public void Tick_NoSession_HasNothingToWaitFor()
    {
        Assert.Null(new PoolFixture(1).State.Tick());
    }

    [Fact]
    public void Heartbeat_UnknownOrForgottenSession_AsksForAnAnnouncement()
    {
        var pool = new PoolFixture(1);
        Assert.False(pool.State.Heartbeat(Other));
        Assert.True(pool.State.Heartbeat(Other));
        pool.Time.Advance(TimeSpan.FromSeconds(5));
        pool.State.Tick();
        Assert.False(pool.State.Heartbeat(Other));
    }

    [Fact]
    public void Heartbeat_ForgottenSessionThatAskedForAPlaceFirst_AsksForAnAnnouncement()
    {
        var pool = new PoolFixture(1);
        var held = pool.Route(pool.Request(session: Other));
        pool.State.Heartbeat(Other);
        pool.Time.Advance(TimeSpan.FromSeconds(5));
        pool.State.Tick();
        pool.Route(pool.Request(session: Other));

        Assert.False(pool.State.Heartbeat(Other));
        Assert.Equal(1, pool.State.Announce(Other, [new HeldLease(held.Lease, held.Endpoint, 10, 1, FirstByteSeen: false)]));
        Assert.True(pool.State.Heartbeat(Other));
        Assert.Equal(2, pool.Endpoint(0).InFlightRequests);
    }

    [Fact]
    public void Announce_NewEpoch_HealsCountsUnderTheOldIds()
    {
        var old = new PoolFixture(2);
        var decisions = Enumerable.Range(0, 10).Select(_ => old.Route()).ToArray();
        var pool = new PoolFixture(2, options: new PoolStateOptions { Epoch = 2 });
        pool.Route();
        Assert.False(pool.Complete(decisions[0]));

        HeldLease[] held = [.. decisions.Select((d, i) => new HeldLease(d.Lease, d.Endpoint, 100, 50, FirstByteSeen: i % 2 == 0))];
        Assert.Equal(10, pool.State.Announce(PoolFixture.Session, held));
        Assert.Equal(0, pool.State.Announce(PoolFixture.Session, held));

        Assert.Equal(11, pool.State.Snapshot().Leases);
        Assert.Equal(600, pool.Endpoints().Sum(e => e.InFlightPrefillTokens));
        foreach (var decision in decisions)
        {
            pool.State.ReportFirstByte(decision.Lease);
            Assert.True(pool.Complete(decision));
            Assert.False(pool.Complete(decision));
        }

        Assert.Equal((1, 150L), (pool.State.Snapshot().Leases, pool.Endpoints().Sum(e => e.InFlightTokens)));
    }

    [Fact]
    public void Announce_AfterSilence_RestoresLeasesOfTheSameEpoch()
    {
        var pool = new PoolFixture(1);
        var decision = pool.Route();
        pool.Time.Advance(TimeSpan.FromSeconds(6));
        pool.State.Tick();
        Assert.Equal(0, pool.State.Snapshot().Leases);
        pool.Route(pool.Request(session: Other));

        Assert.Equal(1, pool.State.Announce(PoolFixture.Session, [new HeldLease(decision.Lease, decision.Endpoint, 1, 1, true)]));

        Assert.Equal(2, pool.Endpoint(0).InFlightRequests);
        Assert.True(pool.Complete(decision));
        Assert.Equal(1, pool.Endpoint(0).InFlightRequests);
    }

    [Fact]
    public void Announce_UnknownEndpoint_IsPassedOver()
    {
        var pool = new PoolFixture(1);

        Assert.Equal(0, pool.State.Announce(PoolFixture.Session, [new HeldLease(new LeaseId(9, 9), new EndpointId("1.2.3.4:5"), 1, 1, true)]));
        Assert.Equal(0, pool.State.Snapshot().Leases);
    }

    [Fact]
    public void Route_TooManySessions_RefusesNewOnesOnly()
    {
        var pool = new PoolFixture(1, options: new PoolStateOptions { MaxSessions = 1 });
        pool.Route();

        Assert.Equal(DecisionReason.TooManyLeases, pool.Route(pool.Request(session: Other)).Reason);
        Assert.Equal(RouteKind.Send, pool.Route().Kind);
    }
}
