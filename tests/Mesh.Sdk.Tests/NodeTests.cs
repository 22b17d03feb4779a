using System.Text.Json;
using Mesh.Gateway.Tests.EndToEnd;
using Mesh.Gateway.Tests.Support;

namespace Mesh.Sdk.Tests;

/// <summary>The npm packages <c>openai</c> and <c>ai</c>, unchanged but for their address.</summary>
[Collection(AloneCollection.Name)]
public sealed class NodeTests : IAsyncLifetime
{
    private const int TimeoutMs = 120_000;

    private SimulatedMesh _mesh = null!;

    public async Task InitializeAsync() => _mesh = await SimulatedMesh.StartAsync(speed: 20);

    public async Task DisposeAsync() => await _mesh.DisposeAsync();

    [NodeFact]
    public async Task OpenAi_RunsThrough()
    {
        var result = await RunAsync("openai.mjs", "meta-llama/Llama-3.1-8B-Instruct");
        Assert.Equal(7, result.GetProperty("plain").GetInt32());
        Assert.Equal((9, 0), (result.GetProperty("pieces").GetInt32(), result.GetProperty("choicesEmpty").GetInt32()));
        Assert.Equal(9, result.GetProperty("usage").GetInt32());
        Assert.Equal(("weather", """{"city":"Naples"}"""), (result.GetProperty("tool").GetProperty("name").GetString(), result.GetProperty("tool").GetProperty("arguments").GetString()));
        Assert.True(result.GetProperty("embeddings").GetBoolean());
        Assert.True(result.GetProperty("response").GetBoolean());
        Assert.Equal("cancelled", result.GetProperty("cancelled").GetString());
        Assert.Equal(5, result.GetProperty("events").GetInt32());
        Assert.True(result.GetProperty("aborted").GetBoolean());
        Assert.Equal(("NotFoundError", "BadRequestError"), (result.GetProperty("unknownModel").GetString(), result.GetProperty("badRequest").GetString()));
        Assert.Equal("meta-llama/Llama-3.1-8B-Instruct", result.GetProperty("model").GetString());
        await IdleAsync();
    }

    [NodeFact]
    public async Task Ai_RunsThrough()
    {
        var result = await RunAsync("ai.mjs", "food-review-1");
        Assert.Equal(7, result.GetProperty("plain").GetInt32());
        Assert.True(result.GetProperty("pieces").GetInt32() > 4);
        Assert.Equal(9, result.GetProperty("usage").GetInt32());
        Assert.Equal("Naples", result.GetProperty("tool").GetProperty("city").GetString());
        Assert.True(result.GetProperty("embeddings").GetBoolean());
        Assert.True(result.GetProperty("aborted").GetBoolean());
        Assert.Equal("""["AI_APICallError",404]""", result.GetProperty("unknownModel").GetRawText());
        await IdleAsync();
    }

    [NodeFact]
    public async Task OpenAi_KeysAndRates_HaveItsClasses()
    {
        await using var keyed = await KeyedGateway.StartAsync();
        var result = await RunAsync("openai-errors.mjs", KeyedGateway.Key, keyed.Uri);
        Assert.Equal(("AuthenticationError", 401, "invalid_api_key"), Error(result, "wrongKey"));
        Assert.Equal(("RateLimitError", 429, "rate_limit_exceeded"), Error(result, "rate"));
        Assert.Equal(("RateLimitError", 429, "rate_limit_exceeded"), Error(result, "rateOfStream"));

        static (string?, int, string?) Error(JsonElement result, string name)
        {
            var error = result.GetProperty(name);
            return (error[0].GetString(), error[1].GetInt32(), error[2].GetString());
        }
    }

    private async Task<JsonElement> RunAsync(string script, string model, Uri? uri = null)
    {
        var run = await Task.Run(() => NodeFactAttribute.Run("node", TimeoutMs, script, new Uri(uri ?? _mesh.Uri, "/v1").ToString(), model));
        Assert.True(run is { Code: 0 }, $"{script}: {run?.Error ?? "did not end in time"}");
        return JsonDocument.Parse(run!.Value.Output).RootElement;
    }

    // What the scripts aborted must be gone too.
    private async Task IdleAsync()
    {
        await Eventually.TrueAsync(() => _mesh.Servers.Values.All(s => s.RunningRequests == 0), "the model servers are free");
        await Eventually.TrueAsync(() => _mesh.Endpoints.All(e => e.InFlightRequests == 0), "the leases come back");
    }
}
