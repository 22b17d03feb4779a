using Mesh.Simulation.Baselines;
using Mesh.Simulation.Tests.World;

namespace Mesh.Simulation.Tests.Baselines;

// The table of the fixture: 100 tokens per ms, 10 ms a step, whatever the batch.
public class StudyTests
{
    [Fact]
    public void Wait_HeadInProgress_CountsWhatIsLeft()
    {
        var fixture = new RouterFixture(new StudyEarlyRouter(1));
        var endpoint = new StudyEndpoint(WorldFixture.RoundTable, 2048, 50);
        endpoint.Send(fixture.Arrive(), ownMs: 100, uncachedTokens: 10_000, nowMs: 0);
        var second = fixture.Arrive();
        endpoint.Send(second, ownMs: 50, uncachedTokens: 5000, nowMs: 10);
        Assert.Equal(150 - 30, endpoint.WaitMs(30), 9);
        // A head that is late has at least had its own time, and what stands behind it is still to come.
        Assert.Equal(50, endpoint.WaitMs(500), 9);
        endpoint.Answer(second, 500);
        Assert.Equal(0, endpoint.WaitMs(500), 9);
    }

    [Fact]
    public void PushedOver_CountsStreamsWhoseSlackIsUsedUp()
    {
        var fixture = new RouterFixture(new StudyEarlyRouter(1));
        var endpoint = new StudyEndpoint(WorldFixture.RoundTable, 2048, 50);
        var stream = fixture.Arrive();
        endpoint.Send(stream, 10, 1000, 0);
        endpoint.Answer(stream, 10);
        // After 100 ms of 10 ms steps it has 11 tokens: 50·21 allowed, 100 + 10·10 used, 850 left; each ms since then gains 4.
        Assert.Equal(0, endpoint.PushedOver(waitMs: 0, ownMs: 849 + 100, uncachedTokens: 95_000, nowMs: 110));
        Assert.Equal(1, endpoint.PushedOver(waitMs: 0, ownMs: 851 + 100, uncachedTokens: 95_000, nowMs: 110));
        Assert.Equal(1, endpoint.PushedOver(waitMs: 800, ownMs: 51 + 100, uncachedTokens: 95_000, nowMs: 110));
        // One that is over already cannot be pushed over.
        Assert.Equal(0, endpoint.PushedOver(waitMs: 900, ownMs: 1000, uncachedTokens: 95_000, nowMs: 110));
        endpoint.End(stream, 110);
        Assert.Equal(0, endpoint.PushedOver(0, 5000, 95_000, 110));
    }

    [Fact]
    public void StudyEarly_CachedPrompt_GoesWhereItIs()
    {
        var fixture = new RouterFixture(new StudyEarlyRouter(1));
        fixture.Fill(2, 1024, 1, 2);
        Assert.Equal(2, fixture.Arrive(1024, 1, 1, 2).Endpoint);
    }

    [Fact]
    public void StudyLate_CheapestIsBusy_HoldsOutForIt()
    {
        var fixture = new RouterFixture(new StudyLateRouter(), endpoints: 2);
        fixture.Fill(1, 51_200, [.. Enumerable.Range(0, 100).Select(i => (long)i)]);
        var busy = fixture.Arrive(51_200, 1, [.. Enumerable.Range(0, 99).Select(i => (long)i), 5000]);
        Assert.Equal(1, busy.Endpoint);
        fixture.Clock.MoveTo(1);
        // 10,240 uncached tokens behind it: 102 ms outstanding are less than the 512 ms of computing anew elsewhere.
        var first = fixture.Arrive(51_200 + 10_240, 1, [.. Enumerable.Range(0, 100).Select(i => (long)i), .. Enumerable.Range(7000, 20).Select(i => (long)i)]);
        Assert.Equal(1, first.Endpoint);
        var held = fixture.Arrive(51_200, 1, [.. Enumerable.Range(0, 100).Select(i => (long)i)]);
        Assert.Equal(-1, held.Endpoint);
        Assert.InRange(fixture.WakeMs, 2, 110);
        fixture.FirstByte(busy);
        Assert.Equal(-1, held.Endpoint);
        Assert.InRange(fixture.WakeMs, 50, 60);
        fixture.Clock.MoveTo(fixture.WakeMs + 1);
        fixture.Router.OnWake();
        Assert.Equal(1, held.Endpoint);
    }

    [Fact]
    public void StudyLate_Several_ShortestFirst()
    {
        var fixture = new RouterFixture(new StudyLateRouter(), endpoints: 1);
        var busy = fixture.Arrive(90_000);
        var longer = fixture.Arrive(20_000);
        var shorter = fixture.Arrive(10_000);
        Assert.Equal((0, -1, -1), (busy.Endpoint, longer.Endpoint, shorter.Endpoint));
        fixture.FirstByte(busy);
        Assert.Equal((-1, 0), (longer.Endpoint, shorter.Endpoint));
    }
}
