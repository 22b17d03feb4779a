using Mesh.Simulation.Baselines;
using Mesh.Simulation.World;

namespace Mesh.Simulation.Tests.Baselines;

public class PickerTests
{
    [Fact]
    public void RoundRobin_GoesRound()
    {
        var fixture = new RouterFixture(new RoundRobinRouter(1), endpoints: 3);
        Assert.Equal([0, 1, 2, 0], Enumerable.Range(0, 4).Select(_ => fixture.Arrive().Endpoint));
    }

    [Fact]
    public void Random_UsesAllEvenly()
    {
        var fixture = new RouterFixture(new RandomRouter(1));
        var counts = Enumerable.Range(0, 4000).GroupBy(_ => fixture.Arrive().Endpoint).Select(g => g.Count());
        Assert.All(counts, c => Assert.InRange(c, 900, 1100));
    }

    [Fact]
    public void LeastRequest_Burst_IsSpreadEvenlyAndFollowsEnds()
    {
        var fixture = new RouterFixture(new LeastRequestRouter(1));
        var requests = Enumerable.Range(0, 12).Select(_ => fixture.Arrive()).ToList();
        Assert.All(requests.GroupBy(r => r.Endpoint), g => Assert.Equal(3, g.Count()));
        fixture.End(requests[5]);
        Assert.Equal(requests[5].Endpoint, fixture.Arrive().Endpoint);
    }

    [Fact]
    public void PowerOfTwo_NeverTakesTheMostLoaded()
    {
        var fixture = new RouterFixture(new PowerOfTwoRouter(1), endpoints: 2);
        var first = fixture.Arrive().Endpoint;
        Assert.Equal(1 - first, fixture.Arrive().Endpoint);
    }

    [Fact]
    public void Session_SameSession_SameEndpoint()
    {
        var fixture = new RouterFixture(new SessionHashRouter(1));
        for (ulong session = 1; session < 100; session++)
        {
            var endpoint = fixture.Arrive(session: session).Endpoint;
            Assert.Equal(endpoint, fixture.Arrive(session: session).Endpoint);
        }

        Assert.Equal(4, Enumerable.Range(1, 100).Select(s => fixture.Arrive(session: (ulong)s).Endpoint).Distinct().Count());
    }

    [Fact]
    public void EppDefault_WeighsQueueKvAndPrefix()
    {
        var fixture = new RouterFixture(new EppDefaultRouter(1), endpoints: 2);
        fixture.Router.OnScrape(0, new EngineGauges(0, 0, 0.2));
        fixture.Router.OnScrape(1, new EngineGauges(0, 0, 0.1));
        // All queues are equal, so the emptier cache wins: 2 + 2·0.9 over 2 + 2·0.8.
        var first = fixture.Arrive(1024, 1, 5, 6);
        Assert.Equal(1, first.Endpoint);
        // The whole prompt is known there, 3·1, which no difference of queues and caches (2 + 2·0.1) outweighs.
        fixture.Router.OnScrape(1, new EngineGauges(9, 40, 0.1));
        Assert.Equal(1, fixture.Arrive(1024, 1, 5, 6).Endpoint);
        // A quarter of it (3·0.25) does not make up for the queue (2).
        Assert.Equal(0, fixture.Arrive(2048, 1, 5, 7, 8, 9).Endpoint);
    }

    [Fact]
    public void EppDefault_BetweenScrapes_HerdsAsItsOriginal()
    {
        var fixture = new RouterFixture(new EppDefaultRouter(1), endpoints: 2);
        fixture.Router.OnScrape(0, new EngineGauges(0, 0, 0.5));
        Assert.All(Enumerable.Range(0, 10), i => Assert.Equal(1, fixture.Arrive(1024, 1, 100 + i, 200 + i).Endpoint));
    }

    [Fact]
    public void AffinityTokenLoad_StaysUntilThePenaltyIsTooHigh()
    {
        var fixture = new RouterFixture(new AffinityTokenLoadRouter(1), endpoints: 2);
        var home = fixture.Arrive(51_200, 1, [.. Enumerable.Range(0, 100).Select(i => (long)i)]).Endpoint;
        // 18 s at 15,928 tokens/s are 286,704 tokens: five prompts stay below, the sixth comes when 307,200 are there.
        for (var i = 0; i < 5; i++) Assert.Equal(home, fixture.Arrive(51_200, 1, [.. Enumerable.Range(0, 100).Select(n => (long)n)]).Endpoint);
        Assert.Equal(1 - home, fixture.Arrive(51_200, 1, [.. Enumerable.Range(0, 100).Select(i => (long)i)]).Endpoint);
    }

    [Fact]
    public void AffinityTokenLoad_LessThan80Percent_GoesWhereFewestTokensAre()
    {
        var fixture = new RouterFixture(new AffinityTokenLoadRouter(1), endpoints: 2);
        var home = fixture.Arrive(1024, 1, 1, 2).Endpoint;
        Assert.Equal(1 - home, fixture.Arrive(2048, 1, 1, 2, 3, 4).Endpoint);
    }

    [Fact]
    public void Dynamo_AddsPrefillAndActiveBlocks()
    {
        var fixture = new RouterFixture(new DynamoRouter(1), endpoints: 2);
        fixture.Fill(1, 1024, 1, 2);
        // 1,008 of 1,024 tokens are cached at 1: one block is always computed.
        var first = fixture.Arrive(1024, 1, 1, 2);
        Assert.Equal(1, first.Endpoint);
        // There: 16 to compute + 1,024 active + 512 own uncached = 1,552, against 1,536 of its own at 0.
        Assert.Equal(0, fixture.Arrive(1536, 1, 1, 2, 3).Endpoint);
        fixture.FirstByte(first);
        fixture.End(first);
        Assert.Equal(1, fixture.Arrive(1024, 1, 7, 8).Endpoint);
    }

    [Fact]
    public void SmgLeastLoad_AddsTokensAndKvPenalty()
    {
        var fixture = new RouterFixture(new SmgLeastLoadRouter(1), endpoints: 2);
        // 0.15·0.5/0.5 = 0.15 s at 0 are worth 2,389 tokens at 1.
        fixture.Router.OnScrape(0, new EngineGauges(0, 0, 0.5));
        Assert.Equal(1, fixture.Arrive(2000).Endpoint);
        Assert.Equal(1, fixture.Arrive(1000).Endpoint);
        Assert.Equal(0, fixture.Arrive(1000).Endpoint);
    }

    [Fact]
    public void Catalog_EveryName_MakesARouter()
    {
        Assert.All(RouterCatalog.Names, name => Assert.NotNull(RouterCatalog.Make(name, 1)));
        Assert.Null(RouterCatalog.Make("best", 1));
        Assert.Null(RouterCatalog.Make("core-", 1));
    }
}
