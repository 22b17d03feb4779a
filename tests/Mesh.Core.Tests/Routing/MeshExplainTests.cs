using Mesh.Core.Routing;

namespace Mesh.Core.Tests.Routing;

public sealed class MeshExplainTests
{
    private static readonly PoolStateOptions On = new() { Explain = true, ExplainedDecisions = 4 };

    [Fact]
    public void Decisions_Off_IsEmpty()
    {
        var pool = new PoolFixture(MeshWorld.Config(2));
        pool.Route();
        Assert.Empty(pool.State.Decisions());
    }

    [Fact]
    public void Decisions_Sent_HasTheFiveCheapestAndTheChosenIsTheFirst()
    {
        var pool = new PoolFixture(MeshWorld.Config(8), options: On);
        for (var i = 0; i < 7; i++) pool.Route(pool.Request(prompt: 200 * (i + 1), subset: [PoolFixture.Id(i)]) with { IsStreaming = true });
        var request = pool.Request(prompt: 500, excluded: [PoolFixture.Id(6)]) with { IsStreaming = true };

        var sent = pool.Route(request);

        var explained = pool.State.Decisions()[0];
        Assert.Equal((request.RequestId, RouteKind.Send, sent.Endpoint, DecisionReason.LeastCost), (explained.RequestId, explained.Kind, explained.Endpoint, explained.Reason));
        Assert.Equal(7, explained.CandidateCount);
        Assert.Equal(new[] { 7, 0, 1, 2, 3 }.Select(PoolFixture.Id), explained.Candidates.Select(c => c.Endpoint));
        Assert.Equal(explained.Candidates.Select(c => c.CostMs).Order(), explained.Candidates.Select(c => c.CostMs));
        Assert.Equal(MeshWorld.PromptMs(500), explained.Candidates[0].OwnMs, 1e-6);
        Assert.Equal(MeshWorld.PromptMs(200), explained.Candidates[1].WaitMs, 1e-6);
    }

    [Fact]
    public void Decisions_HoldsOfThePrompt_AreShown()
    {
        var pool = new PoolFixture(MeshWorld.Config(2), options: On);
        var request = pool.Request(prompt: 4000) with { IsStreaming = true, PrefixChain = new ulong[] { 1, 2, 3 } };
        var first = pool.Route(request);
        pool.State.ReportFirstByte(first.Lease);

        pool.Route(request);

        var shown = pool.State.Decisions()[0].Candidates;
        Assert.True(shown.Single(c => c.Endpoint == first.Endpoint).CachedTokens > 0);
        Assert.Equal(0, shown.Single(c => c.Endpoint != first.Endpoint).CachedTokens);
    }

    [Fact]
    public void Decisions_Waited_IsCompletedInItsPlace()
    {
        var pool = new PoolFixture(MeshWorld.Config(1), options: On);
        var large = pool.Request(prompt: 8000) with { IsStreaming = true };
        var running = pool.Route(large);
        var ticket = pool.Route(large).Ticket;
        var left = pool.Route(large).Ticket;
        pool.Time.Advance(TimeSpan.FromMilliseconds(30));
        Assert.Equal((RouteKind.Wait, TimeSpan.FromMilliseconds(30)), (pool.State.Decisions()[1].Kind, pool.State.Decisions()[1].Waited));
        pool.State.CancelWait(left);

        pool.State.ReportFirstByte(running.Lease);
        Assert.True(pool.State.TryTakeDecided(out _, out var decision));

        var explained = pool.State.Decisions()[1];
        Assert.Equal((ticket, RouteKind.Send, decision.Endpoint), (explained.Ticket, explained.Kind, explained.Endpoint));
        Assert.Equal(TimeSpan.FromMilliseconds(30), explained.Waited);
        Assert.Equal((left, RouteKind.Refuse), (pool.State.Decisions()[0].Ticket, pool.State.Decisions()[0].Kind));
    }

    [Fact]
    public void Decisions_MoreThanTheRingHolds_OldestGivesWay()
    {
        var pool = new PoolFixture(MeshWorld.Config(3), options: On);
        for (var i = 0; i < 10; i++) pool.Route();
        Assert.Equal(["r9", "r8", "r7", "r6"], pool.State.Decisions().Select(d => d.RequestId));
    }

    [Fact]
    public void Route_ExplainOnOrOff_DecidesTheSame()
    {
        var (on, off) = (new PoolFixture(MeshWorld.Config(5), seed: 9, options: On), new PoolFixture(MeshWorld.Config(5), seed: 9));
        for (var i = 0; i < 200; i++)
        {
            Assert.Equal(off.Route(), on.Route());
            on.Time.Advance(TimeSpan.FromMilliseconds(3));
            off.Time.Advance(TimeSpan.FromMilliseconds(3));
        }
    }
}
