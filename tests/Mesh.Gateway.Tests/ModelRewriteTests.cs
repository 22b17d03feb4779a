using System.Net;
using Mesh.Core.Config;
using Mesh.Gateway.Tests.Support;

namespace Mesh.Gateway.Tests;

public sealed class ModelRewriteTests
{
    private static MeshConfig Config(ScriptedBackend backend, params ModelRewriteConfig[] rewrites)
    {
        var config = Configs.For(backend.Id);
        return config with { Pools = [config.Pools[0] with { ModelRewrites = [.. rewrites] }] };
    }

    private static ModelRewriteConfig Rule(string? model, params (string Model, int Weight)[] targets) =>
        new(model, [.. targets.Select(t => new ModelTarget(t.Model, t.Weight))], "default/rewrite");

    [Fact]
    public async Task Rewrite_SplicesTheBody_AndRestoresTheNameInTheAnswer()
    {
        await using var backend = ScriptedBackend.Answering(200, """{"id":"1","model":"llama-longer-name" ,"ü":[1, 2]}""");
        await using var gateway = await TestGateway.StartAsync(Config(backend, Rule("chat", ("llama-longer-name", 1)), Rule(null, ("other", 1))));
        using var response = await gateway.PostAsync("""{ "stream" : false , "model" : "chat" , "prompt" : "ü {\"model\":\"chat\"}" }""");
        Assert.Equal("""{"id":"1","model":"chat" ,"ü":[1, 2]}""", await response.Content.ReadAsStringAsync());
        Assert.Equal("""{ "stream" : false , "model" : "llama-longer-name" , "prompt" : "ü {\"model\":\"chat\"}" }""", backend.Requests.Single().Body);
        Assert.Equal("llama-longer-name", gateway.Engine.Requests.Single().Model);
        await Eventually.TrueAsync(() => gateway.Engine.InFlight == 0, "the lease comes back");
    }

    [Fact]
    public async Task Rewrite_ExactBeforeGeneric_AndNamesAreEscaped()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(Config(backend, Rule("a", ("exact", 1)), Rule(null, ("gen\"eric", 1))));
        foreach (var model in new[] { "a", "b", "gen\\\"eric" })
        {
            using var response = await gateway.PostAsync($$"""{"model":"{{model}}","prompt":"p"}""");
        }

        Assert.Equal(
            ["""{"model":"exact","prompt":"p"}""", """{"model":"gen\u0022eric","prompt":"p"}""", """{"model":"gen\"eric","prompt":"p"}"""],
            backend.Requests.Select(r => r.Body));
    }

    [Fact]
    public async Task Rewrite_NoRuleForTheModel_LeavesEverythingAlone()
    {
        const string Answer = """{"model":"llama"}""";
        await using var backend = ScriptedBackend.Answering(200, Answer);
        await using var gateway = await TestGateway.StartAsync(Config(backend, Rule("chat", ("x", 1))));
        using var response = await gateway.PostAsync("""{"model":"m1","prompt":"p"}""");
        Assert.Equal(Answer, await response.Content.ReadAsStringAsync());
        Assert.Equal(Answer.Length, response.Content.Headers.ContentLength);
    }

    [Fact]
    public async Task Rewrite_WeightedTargets_ShareByWeight()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(Config(backend, Rule("chat", ("v1", 9), ("v2", 1))));
        for (var i = 0; i < 200; i++)
        {
            using var response = await gateway.PostAsync("""{"model":"chat","prompt":"p"}""");
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }

        Assert.InRange(gateway.Engine.Requests.Count(r => r.Model == "v2"), 8, 35);
        Assert.Equal(200, gateway.Engine.Requests.Count(r => r.Model is "v1" or "v2"));
    }

    [Fact]
    public async Task Rewrite_Stream_RestoresTheNameAcrossChunks()
    {
        await using var backend = ScriptedBackend.Start(async x =>
        {
            await x.SendStreamHeadAsync();
            foreach (var piece in new[] { "da", "ta: {\"id\":1,\"mod", "el\":\"lla", "ma", "\",\"t\":\"model\"}\n", "\ndata: {\"model\":\"llama\"}\n\ndata: [DONE]\n\n" })
            {
                await x.SendChunkAsync(piece);
                await Task.Delay(5, x.Stop);
            }

            await x.SendAsync("0\r\n\r\n");
        });
        await using var gateway = await TestGateway.StartAsync(Config(backend, Rule("chat", ("llama", 1))));
        using var response = await gateway.PostAsync("""{"model":"chat","prompt":"p","stream":true}""");
        Assert.Equal(
            "data: {\"id\":1,\"model\":\"chat\",\"t\":\"model\"}\n\ndata: {\"model\":\"chat\"}\n\ndata: [DONE]\n\n",
            await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Rewrite_Retry_SendsTheSameBodyAgain()
    {
        await using var full = ScriptedBackend.Answering(503, "full");
        await using var answers = ScriptedBackend.Answering(200, """{"model":"llama"}""");
        var config = Configs.For(full.Id, answers.Id);
        config = config with { Pools = [config.Pools[0] with { ModelRewrites = [Rule("chat", ("llama", 1))] }] };
        await using var gateway = await TestGateway.StartAsync(config);
        using var response = await gateway.PostAsync("""{"model":"chat","prompt":"p"}""");
        Assert.Equal("""{"model":"chat"}""", await response.Content.ReadAsStringAsync());
        Assert.Equal(full.Requests.Single().Body, answers.Requests.Single().Body);
    }
}
