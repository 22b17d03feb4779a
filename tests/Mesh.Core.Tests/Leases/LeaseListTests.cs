using Mesh.Core.Leases;

namespace Mesh.Core.Tests.Leases;

public sealed class LeaseListTests
{
    private static readonly GatewaySession Other = new("other", 7);

    [Fact]
    public void Leases_OfTwoSessions_TellWhoHoldsWhatAndForHowLong()
    {
        var pool = new PoolFixture(2);
        var first = pool.RouteTo(0);
        pool.Time.Advance(TimeSpan.FromSeconds(3));
        var second = pool.State.Route(pool.Request(prompt: 700, output: 20, subset: [PoolFixture.Id(1)], session: Other));
        pool.State.ReportFirstByte(second.Lease);

        var leases = pool.State.Leases(null, null, 10);
        Assert.Equal([first.Lease, second.Lease], leases.Select(l => l.Id));
        Assert.Equal(TimeSpan.FromSeconds(3), leases[0].Age);
        Assert.False(leases[0].FirstByteSeen);
        Assert.Equal(PoolFixture.Id(1), leases[1].Endpoint);
        Assert.Equal(Other, leases[1].Session);
        Assert.Equal(TimeSpan.Zero, leases[1].Age);
        Assert.Equal(700, leases[1].PromptTokens);
        Assert.True(leases[1].FirstByteSeen);
        Assert.Equal([(PoolFixture.Session, 1), (Other, 1)], pool.State.Snapshot().Sessions.Select(s => (s.Session, s.Leases)));
    }

    [Fact]
    public void Leases_Filtered_AreThoseOfTheEndpointAndSession()
    {
        var pool = new PoolFixture(2);
        pool.RouteTo(0);
        pool.RouteTo(1);
        pool.State.Route(pool.Request(subset: [PoolFixture.Id(1)], session: Other));
        Assert.Equal(2, pool.State.Leases(PoolFixture.Id(1), null, 10).Length);
        Assert.Equal(Other, Assert.Single(pool.State.Leases(PoolFixture.Id(1), Other, 10)).Session);
        Assert.Empty(pool.State.Leases(PoolFixture.Id(0), Other, 10));
    }

    [Fact]
    public void Leases_BeyondTheLimit_AreCutAndTheYoungestOfASessionComeFirst()
    {
        var pool = new PoolFixture(1);
        pool.Route();
        var last = pool.Route();
        Assert.Equal(last.Lease, Assert.Single(pool.State.Leases(null, null, 1)).Id);
        pool.Complete(last);
        Assert.NotEqual(last.Lease, Assert.Single(pool.State.Leases(null, null, 10)).Id);
    }

    [Fact]
    public void Leases_AnAnnouncedOne_KeepsTheIdThatItsGatewayKnows()
    {
        var pool = new PoolFixture(1);
        var held = new LeaseId(99, 5);
        pool.State.Announce(Other, [new HeldLease(held, PoolFixture.Id(0), 10, 20, FirstByteSeen: true)]);
        var lease = Assert.Single(pool.State.Leases(null, null, 10));
        Assert.Equal(held, lease.Id);
        Assert.True(lease.FirstByteSeen);
    }
}
