using Mesh.Core.Randomness;
using Mesh.Simulation.Baselines;
using Mesh.Simulation.Tests.World;
using Mesh.Simulation.Traces;
using Mesh.Simulation.World;

namespace Mesh.Simulation.Tests.Fleets;

public class EqualEndpointsTests
{
    private static readonly Func<int, IWorldRouter> RoundRobin = _ => new RoundRobinRouter(1);

    private readonly WorldFixture _fixture = new();

    [Fact]
    public void Run_OneRequest_TakesLatencyPrefillAndDecodes()
    {
        _fixture.Run(WorldFixture.Options(), RoundRobin, WorldFixture.Row(100, prompt: 1000, output: 5));
        var end = Assert.Single(_fixture.Ends);
        // 0.5 ms there, 1,000 tokens at 100 per ms, 0.5 ms back; then four decode steps of 10 ms.
        Assert.Equal(11, end.TtftMs, 9);
        Assert.Equal(51, end.E2eMs, 9);
    }

    [Fact]
    public void Run_PromptOfSeveralChunks_TakesTheWholePromptsTime()
    {
        _fixture.Run(WorldFixture.Options(latencyMs: 0), RoundRobin, WorldFixture.Row(0, prompt: 5000, output: 1));
        Assert.Equal(50, Assert.Single(_fixture.Ends).TtftMs, 9);
    }

    [Fact]
    public void Run_ArrivalDuringAStep_WaitsForItsEnd()
    {
        _fixture.Run(WorldFixture.Options(latencyMs: 0), RoundRobin, WorldFixture.Row(0, 2000, 1), WorldFixture.Row(5, 1000, 1));
        Assert.Equal(20, _fixture.Ends[0].TtftMs, 9);
        // 15 ms until the first one's step ends, then 10 ms of its own.
        Assert.Equal(25, _fixture.Ends[1].TtftMs, 9);
    }

    [Fact]
    public void Run_SamePrefixAgain_ComputesTheRestOnly()
    {
        _fixture.Run(WorldFixture.Options(latencyMs: 0), RoundRobin, WorldFixture.Row(0, 1024, 1, 7, 8), WorldFixture.Row(100, 1536, 1, 7, 8, 9), WorldFixture.Row(200, 1024, 1, 7, 10));
        Assert.Equal([0, 1024, 512], _fixture.Ends.Select(e => e.CachedTokens));
        Assert.Equal(5.12, _fixture.Ends[1].TtftMs, 9);
    }

    [Fact]
    public void Run_PartOfALastBlock_IsFoundByALongerPrompt()
    {
        // 600 tokens are a whole block of the trace and five whole engine blocks of the next.
        _fixture.Run(WorldFixture.Options(latencyMs: 0), RoundRobin, WorldFixture.Row(0, 600, 1, 7, 8), WorldFixture.Row(100, 1024, 1, 7, 8));
        Assert.Equal(592, _fixture.Ends[1].CachedTokens);
    }

    [Theory]
    [InlineData("mesh", 1)]
    [InlineData("mesh", 2)]
    [InlineData("mesh-early", 3)]
    [InlineData("study-late", 4)]
    [InlineData("epp-default", 5)]
    [InlineData("dynamo", 6)]
    [InlineData("core-power-of-two", 7)]
    [InlineData("mesh-events", 8)]
    public void Run_AnyRouter_EndsEveryRequestOnce(string router, ulong seed)
    {
        var random = new Xoshiro256(seed);
        var rows = new TraceRequest[2000];
        var time = 0.0;
        for (var i = 0; i < rows.Length; i++)
        {
            time += random.NextDouble() * 20;
            long session = random.NextInt32(50);
            rows[i] = WorldFixture.Row(time, 1 + random.NextInt32(4000), 1 + random.NextInt32(100), session, session + 1000, session + 2000)
                with { KnownTokens = 0, Blocks = default, Session = (ulong)session + 1 };
        }

        var world = _fixture.Run(WorldFixture.Options(endpoints: 4, regions: 2), region => RouterCatalog.Make(router, seed + (ulong)region)!, rows);
        var ended = _fixture.Ends.Select(e => e.Number).Concat(_fixture.RefusedNumbers).Order();
        Assert.Equal(Enumerable.Range(0, rows.Length).Select(i => (long)i), ended);
        Assert.Equal(0, world.InFlight);
        foreach (var engine in world.Engines)
        {
            Assert.Equal((0, 0, 0), (engine.Running, engine.Waiting, engine.BlocksInUse));
        }

        Assert.All(_fixture.Ends, e => Assert.True(e.TtftMs > 0 && e.E2eMs >= e.TtftMs));
    }

    [Fact]
    public void Run_TwoRegions_EachServesItsOwnSessions()
    {
        var rows = Enumerable.Range(0, 200).Select(i => WorldFixture.Row(i, 100, 1)).ToArray();
        _fixture.Run(WorldFixture.Options(endpoints: 2, regions: 2), RoundRobin, rows);
        Assert.InRange(_fixture.Ends.Count(e => e.Region == 0), 60, 140);
        Assert.All(_fixture.Ends, e => Assert.InRange(e.Endpoint, 0, 1));
    }

    [Fact]
    public void Run_RouterThatRefuses_CountsThemApart()
    {
        _fixture.Run(WorldFixture.Options(), _ => new RefusingRouter(), WorldFixture.Row(0, 10, 1), WorldFixture.Row(1, 10, 1));
        Assert.Equal([0, 1], _fixture.RefusedNumbers);
        Assert.Empty(_fixture.Ends);
    }

    [Fact]
    public void Run_RouterThatForgets_Throws()
    {
        var problem = Assert.Throws<InvalidOperationException>(() => _fixture.Run(WorldFixture.Options(), _ => new ForgettingRouter(), WorldFixture.Row(0, 10, 1)));
        Assert.Contains("1 requests were never answered or refused", problem.Message);
    }

    [Fact]
    public void Constructor_BlockSizeThatDoesNotDivide512_Throws()
    {
        var options = WorldFixture.Options();
        var problem = Assert.Throws<ArgumentOutOfRangeException>(() => _fixture.Run(options with { Engine = options.Engine with { BlockSize = 48 } }, RoundRobin));
        Assert.Contains("divisor of 512", problem.Message);
    }

    private class ForgettingRouter : IWorldRouter
    {
        public double ScrapeIntervalMs => 1000;

        protected IWorldHost? Host { get; private set; }

        public void Start(IWorldHost host) => Host = host;

        public virtual void OnArrival(WorldRequest request)
        {
        }

        public void OnFirstByte(WorldRequest request)
        {
        }

        public void OnEnd(WorldRequest request)
        {
        }

        public void OnScrape(int endpoint, in EngineGauges gauges)
        {
        }

        public void OnWake()
        {
        }
    }

    private sealed class RefusingRouter : ForgettingRouter
    {
        public override void OnArrival(WorldRequest request) => Host!.Refuse(request);
    }
}
