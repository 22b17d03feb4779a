using Mesh.Core.Randomness;
using Mesh.Simulation.Baselines;
using Mesh.Simulation.Tests.World;
using Mesh.Simulation.Traces;

namespace Mesh.Simulation.Tests.Baselines;

public sealed class EngineCacheFeedTests
{
    /// <summary>Caches too small for what is asked: history believes in what was given up, events do not.</summary>
    [Fact]
    public void Run_CachesAreShort_EventsFindMoreThanHistory()
    {
        var history = CachedTokens("mesh");
        var events = CachedTokens("mesh-events");
        Assert.True(events > history, $"{events} tokens found with events, {history} with history");
    }

    [Fact]
    public void Run_TheAnswerIsPartOfTheNextPrompt_ItIsFoundWhereItWasWritten()
    {
        var fixture = new WorldFixture();
        // 600 tokens of prompt and 424 of answer are two whole blocks of the trace.
        var first = WorldFixture.Row(0, 600, 424, 7, 8) with { KnownTokens = 1024 };
        fixture.Run(WorldFixture.Options(endpoints: 4), _ => RouterCatalog.Make("mesh-events", 1)!, first, WorldFixture.Row(100_000, 1536, 1, 7, 8, 9));

        Assert.Equal(fixture.Ends[0].Endpoint, fixture.Ends[1].Endpoint);
        Assert.InRange(fixture.Ends[1].CachedTokens, 1008, 1024);
    }

    private static long CachedTokens(string router)
    {
        var random = new Xoshiro256(5);
        var rows = new TraceRequest[3000];
        for (var i = 0; i < rows.Length; i++)
        {
            var session = random.NextInt32(60);
            var length = 2 + random.NextInt32(6);
            rows[i] = WorldFixture.Row(i * 40, length * 512, 20, [.. Enumerable.Range(0, length).Select(b => (session * 100L) + b)]);
        }

        var fixture = new WorldFixture();
        var options = WorldFixture.Options(endpoints: 4);
        options = options with { Engine = options.Engine with { NumGpuBlocks = 1500, MaxModelLen = 20_000 } };
        fixture.Run(options, _ => RouterCatalog.Make(router, 1)!, rows);
        Assert.Equal(rows.Length, fixture.Ends.Count);
        return fixture.Ends.Sum(e => (long)e.CachedTokens);
    }
}
