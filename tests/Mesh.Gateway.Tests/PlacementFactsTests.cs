using Mesh.Gateway.Tests.Support;

namespace Mesh.Gateway.Tests;

public sealed class PlacementFactsTests
{
    private static readonly string Long = string.Concat(Enumerable.Range(0, 100).Select(i => $"Sentence number {i}. "));

    [Fact]
    public async Task Post_PrefixChainAndSizeReachTheRouter()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(backend);
        string[] bodies =
        [
            $$"""{"model":"m1","prompt":"{{Long}}"}""", $$"""{"prompt":"{{Long}} And more.","model":"m1"}""", $$"""{"model":"m2","prompt":"{{Long}}"}""",
            """{"model":"m1","prompt":"short"}""",
        ];
        foreach (var body in bodies)
        {
            using var response = await gateway.PostAsync(body);
        }

        var routed = gateway.Engine.Requests.ToArray();
        Assert.Equal(bodies.Select(b => b.Length), routed.Select(r => r.BodyBytes));
        var first = routed[0].PrefixChain.ToArray();
        Assert.Equal(Long.Length / 256, first.Length);
        Assert.Equal(first, routed[1].PrefixChain.ToArray()[..first.Length]);
        Assert.NotEqual(first[0], routed[2].PrefixChain.Span[0]);
        Assert.True(routed[3].PrefixChain.IsEmpty);
    }
}
