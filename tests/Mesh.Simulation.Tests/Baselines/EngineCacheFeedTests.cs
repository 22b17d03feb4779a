using Mesh.Simulation.Baselines;
using Mesh.Simulation.Tests.World;

namespace Mesh.Simulation.Tests.Baselines;

public sealed class EngineCacheFeedTests
{
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
}
