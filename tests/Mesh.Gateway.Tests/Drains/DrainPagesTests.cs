using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Gateway.Hosting;
using Mesh.Gateway.Keys;
using Mesh.Gateway.Tests.Support;
using Mesh.Testing.Net;

namespace Mesh.Gateway.Tests.Drains;

public sealed class DrainPagesTests
{
    private const string Body = """{"model":"m1","prompt":"hi"}""";
    private const string Reader = "sk-reader-0123456789abcdef";
    private const string Operator = "sk-operator-0123456789abcdef";
    private static readonly EndpointId A = new("10.0.0.1:8000");
    private static readonly EndpointId B = new("10.0.0.2:8000");

    private static object Request(string name, string kind = "endpoint", string? reason = "new driver", bool force = false, string? pool = null) => new { kind, name, reason, force, pool };

    private static Task<HttpResponseMessage> DrainAsync(TestGateway gateway, object request) => gateway.Client.PostAsJsonAsync("/api/v1/drains", request);

    private static async Task<JsonElement> ListAsync(TestGateway gateway) => await gateway.Client.GetFromJsonAsync<JsonElement>("/api/v1/drains");

    private static bool[] Drained(TestGateway gateway) => [.. gateway.Engine.Snapshot().SelectMany(p => p.Backends).SelectMany(b => b.Endpoints).Select(e => e.Drained)];

    [Fact]
    public async Task Drain_AndUndrain_AreInForceAndInTheHistory()
    {
        await using var gateway = await TestGateway.StartAsync(Configs.For(A, B));
        using var begun = await DrainAsync(gateway, Request("10.0.0.1:8000"));
        var answer = await begun.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal((HttpStatusCode.Created, true, false), (begun.StatusCode, answer.GetProperty("drained").GetBoolean(), answer.GetProperty("persisted").GetBoolean()));
        Assert.Contains("Mesh:StateDirectory", answer.GetProperty("warning").GetString(), StringComparison.Ordinal);
        Assert.Equal([true, false], Drained(gateway));

        var drain = Assert.Single((await ListAsync(gateway)).GetProperty("drains").EnumerateArray());
        Assert.Equal(
            ("endpoint", "10.0.0.1:8000", "new driver", "127.0.0.1", 1),
            (drain.GetProperty("kind").GetString(), drain.GetProperty("name").GetString(), drain.GetProperty("reason").GetString(), drain.GetProperty("by").GetString(), drain.GetProperty("endpoints").GetInt32()));

        using var ended = await gateway.Client.DeleteAsync("/api/v1/drains/endpoint/10.0.0.1:8000?reason=done&by=alice");
        Assert.Equal(HttpStatusCode.OK, ended.StatusCode);
        Assert.Equal([false, false], Drained(gateway));
        var list = await ListAsync(gateway);
        Assert.Empty(list.GetProperty("drains").EnumerateArray());
        Assert.Equal(
            [("undrain", "done", "alice (127.0.0.1)"), ("drain", "new driver", "127.0.0.1")],
            list.GetProperty("history").EnumerateArray().Select(e => (e.GetProperty("action").GetString()!, e.GetProperty("reason").GetString()!, e.GetProperty("by").GetString()!)));
    }

    [Fact]
    public async Task Drain_Repeated_TakesTheNewReason()
    {
        await using var gateway = await TestGateway.StartAsync(Configs.For(A, B));
        using var first = await DrainAsync(gateway, Request("c1", "cluster", force: true));
        using var second = await DrainAsync(gateway, Request("c1", "cluster", "another reason", force: true));
        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.OK), (first.StatusCode, second.StatusCode));
        Assert.Equal("another reason", Assert.Single((await ListAsync(gateway)).GetProperty("drains").EnumerateArray()).GetProperty("reason").GetString());
    }

    [Theory]
    [InlineData("endpoint", "10.0.0.1:8000")]
    [InlineData("cluster", "c1")]
    [InlineData("region", "r1")]
    public async Task Drain_EveryKind_OutlivesARestartAndAReload(string kind, string name)
    {
        using var folder = new TempFolder();
        await using (var gateway = await TestGateway.StartAsync(Configs.For(A, B), o => o.StateDirectory = folder.Path))
        {
            using var begun = await DrainAsync(gateway, Request(name, kind, force: true));
            Assert.True((await begun.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("persisted").GetBoolean());
        }

        Assert.Equal("drains.json", Path.GetFileName(Assert.Single(Directory.GetFiles(folder.Path))));
        var loggers = new CapturingLoggers("Mesh.Gateway.Drains.DrainBook");
        await using var again = await TestGateway.StartAsync(Configs.For(A, B), o => o.StateDirectory = folder.Path, loggers);
        var expected = kind == "endpoint" ? new[] { true, false } : [true, true];
        Assert.Equal(expected, Drained(again));
        Assert.Contains(loggers.Lines, l => l.Contains($"{kind} {name}", StringComparison.Ordinal) && l.Contains("new driver", StringComparison.Ordinal));

        // An edit of the manifests that brings another endpoint: the drained ones stay drained, and what a cluster or region gains is drained, too.
        again.Host.Apply(Configs.For(A, B, new EndpointId("10.0.0.3:8000")) with { Version = 2 });
        Assert.Equal([.. expected, kind != "endpoint"], Drained(again));
        Assert.Single((await ListAsync(again)).GetProperty("history").EnumerateArray());
    }

    [Fact]
    public async Task Drain_OfAPool_LeavesTheOtherPoolsAlone()
    {
        var second = Configs.PoolOf(new PoolId("default", "second"), TimeSpan.FromSeconds(30), A);
        var config = Configs.For(A, B);
        await using var gateway = await TestGateway.StartAsync(config with { Pools = [config.Pools[0], second] });
        using var begun = await DrainAsync(gateway, Request(A.Address, pool: "default/pool"));
        Assert.Equal(HttpStatusCode.Created, begun.StatusCode);
        Assert.Equal([true, false, false], Drained(gateway));
        using var other = await gateway.Client.DeleteAsync($"/api/v1/drains/endpoint/{A}");
        Assert.Equal(("not_drained", HttpStatusCode.NotFound), ((await ErrorBody.ReadAsync(other)).Code, other.StatusCode));
        using var ended = await gateway.Client.DeleteAsync($"/api/v1/drains/endpoint/{A}?pool=default%2Fpool");
        Assert.Equal(HttpStatusCode.OK, ended.StatusCode);
    }

    [Fact]
    public async Task Drain_LastReadyEndpoint_NeedsForce()
    {
        await using var gateway = await TestGateway.StartAsync(Configs.For(A, B));
        using (await DrainAsync(gateway, Request(A.Address))) Assert.Equal([true, false], Drained(gateway));
        using var refused = await DrainAsync(gateway, Request(B.Address));
        var error = await ErrorBody.ReadAsync(refused);
        Assert.Equal((HttpStatusCode.Conflict, "last_endpoint"), (refused.StatusCode, error.Code));
        Assert.Contains("pool default/pool without a ready endpoint", error.Message, StringComparison.Ordinal);
        Assert.Equal([true, false], Drained(gateway));

        using var forced = await DrainAsync(gateway, Request(B.Address, force: true));
        Assert.Equal(HttpStatusCode.Created, forced.StatusCode);
        Assert.True((await ListAsync(gateway)).GetProperty("history")[0].GetProperty("forced").GetBoolean());
        Assert.StartsWith("no endpoint", gateway.Host.WhyNotReady, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"kind":"endpoint","name":"10.0.0.9:8000","reason":"x"}""", 404, "unknown_target", "did you mean 10.0.0.1:8000?")]
    [InlineData("""{"kind":"region","name":"r9","reason":"x"}""", 404, "unknown_target", "There is r1")]
    [InlineData("""{"kind":"endpoint","name":"10.0.0.1:8000","pool":"default/pol","reason":"x"}""", 404, "unknown_target", "did you mean default/pool?")]
    [InlineData("""{"kind":"pod","name":"x","reason":"x"}""", 400, "invalid_drain", "endpoint, cluster, region")]
    [InlineData("""{"kind":"endpoint","name":"10.0.0.1:8000"}""", 400, "invalid_drain", "reason must say why")]
    [InlineData("""{"kind":"endpoint","reason":"x"}""", 400, "invalid_drain", "name must have")]
    [InlineData("""{"kind":"endpoint","name":"10.0.0.1:8000","reason":"x","forse":true}""", 400, "invalid_drain", "kind, name, reason")]
    [InlineData("[", 400, "invalid_drain", "an object with kind")]
    [InlineData("", 400, "invalid_drain", "an object with kind")]
    public async Task Drain_Mistakes_AreTold(string body, int status, string code, string message)
    {
        await using var gateway = await TestGateway.StartAsync(Configs.For(A, B));
        using var response = await gateway.PostAsync(body, "/api/v1/drains");
        var error = await ErrorBody.ReadAsync(response);
        Assert.Equal((status, code), ((int)response.StatusCode, error.Code));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Equal([false, false], Drained(gateway));
    }

    [Fact]
    public async Task Drain_NotJson_IsRefused()
    {
        await using var gateway = await TestGateway.StartAsync(Configs.For(A, B));
        using var text = new StringContent("""{"kind":"endpoint","name":"10.0.0.1:8000","reason":"x"}""", Encoding.UTF8, "text/plain");
        using var response = await gateway.Client.PostAsync("/api/v1/drains", text);
        Assert.Equal("invalid_drain", (await ErrorBody.ReadAsync(response)).Code);
        Assert.Equal([false, false], Drained(gateway));
    }

    [Theory]
    [InlineData("PUT", "/api/v1/drains", 405)]
    [InlineData("GET", "/api/v1/drains/endpoint/x", 405)]
    [InlineData("DELETE", "/api/v1/drains/endpoint", 400)]
    [InlineData("DELETE", "/api/v1/drains/pod/x", 400)]
    [InlineData("DELETE", "/api/v1/drains/endpoint/10.0.0.1:8000", 404)]
    public async Task OtherRequests_AreTurnedDown(string method, string path, int status)
    {
        await using var gateway = await TestGateway.StartAsync(Configs.For(A, B));
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        using var response = await gateway.Client.SendAsync(request);
        Assert.Equal(status, (int)response.StatusCode);
    }

    [Theory]
    [InlineData(null, "GET", 401)]
    [InlineData(Reader, "GET", 200)]
    [InlineData(null, "POST", 401)]
    [InlineData(Reader, "POST", 403)]
    [InlineData(Operator, "POST", 201)]
    [InlineData(Reader, "DELETE", 403)]
    public async Task Keys_ReaderReads_OperatorChanges(string? key, string method, int status)
    {
        await using var gateway = await TestGateway.StartAsync(Configs.For(A, B), o =>
        {
            o.Keys.Entries["ro"] = new KeyEntry { Hash = KeyHash.Of("ro", Reader).ToString(), Roles = ["reader"] };
            o.Keys.Entries["op"] = new KeyEntry { Hash = KeyHash.Of("op", Operator).ToString(), Roles = ["operator"] };
        });
        using var request = new HttpRequestMessage(new HttpMethod(method), method == "DELETE" ? "/api/v1/drains/endpoint/10.0.0.1:8000" : "/api/v1/drains");
        if (method == "POST") request.Content = JsonContent.Create(Request(A.Address));
        if (key is not null) request.Headers.Authorization = new("Bearer", key);
        using var response = await gateway.Client.SendAsync(request);
        Assert.Equal(status, (int)response.StatusCode);
        if (status == 201) Assert.Equal("op", (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("drain").GetProperty("by").GetString());
    }

    [Fact]
    public async Task AdminAddress_HasTheDrainsForItself()
    {
        var admin = FreePorts.NextAddress();
        await using var gateway = await TestGateway.StartAsync(Configs.For(A, B), o => o.AdminAddress = admin.ToString());
        using var atListener = await gateway.Client.GetAsync("/api/v1/drains");
        Assert.Equal(HttpStatusCode.NotFound, atListener.StatusCode);
        using var client = Clients.Create(new Uri($"http://{admin}"));
        using var atAdmin = await client.GetAsync("/api/v1/drains");
        Assert.Equal(HttpStatusCode.OK, atAdmin.StatusCode);
    }

    [Fact]
    public async Task Start_BrokenFile_SaysWhichAndDoesNotStart()
    {
        using var folder = new TempFolder();
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "drains.json"), "{");
        var e = await Assert.ThrowsAsync<GatewayConfigurationException>(() => TestGateway.StartAsync(Configs.For(A), o => o.StateDirectory = folder.Path));
        Assert.Contains("drains.json cannot be read", e.Message, StringComparison.Ordinal);
        Assert.Contains("Mend it, or remove it", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Drain_StateThatCannotBeWritten_HoldsAndSaysSo()
    {
        using var folder = new TempFolder();
        var file = Path.Combine(folder.Path, "a-file");
        await File.WriteAllTextAsync(file, "");
        await using var gateway = await TestGateway.StartAsync(Configs.For(A, B), o => o.StateDirectory = Path.Combine(file, "below"));
        using var begun = await DrainAsync(gateway, Request(A.Address));
        var answer = await begun.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal((HttpStatusCode.Created, false), (begun.StatusCode, answer.GetProperty("persisted").GetBoolean()));
        Assert.Contains("cannot be written", answer.GetProperty("warning").GetString(), StringComparison.Ordinal);
        Assert.Equal([true, false], Drained(gateway));
    }

    [Fact]
    public async Task Drain_BeforeTheAnswerBegan_FailsOver()
    {
        await using var hangs = ScriptedBackend.Start(x => x.UntilClosedAsync());
        await using var answers = ScriptedBackend.Answering(200, "{}");
        // The first request goes to the first endpoint.
        await using var gateway = await TestGateway.StartAsync(Configs.For(hangs.Id, answers.Id), o => o.MaxRetries = 0);
        var posting = gateway.PostAsync(Body);
        await Eventually.TrueAsync(() => !hangs.Requests.IsEmpty, "the request is there");
        using var begun = await DrainAsync(gateway, Request(hangs.Id.Address));
        Assert.Equal(1, (await begun.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("drain").GetProperty("endpoints").GetInt32());
        using var response = await posting.WaitAsync(TimeSpan.FromSeconds(5));
        Assert.Equal((HttpStatusCode.OK, answers.Id.Address), (response.StatusCode, response.Headers.GetValues("x-gateway-destination-endpoint-served").Single()));
    }

    [Theory]
    [InlineData(200, false)]
    [InlineData(null, true)]
    public async Task Drain_OfAStream_GivesItTheDrainingTimeout(int? drainingMs, bool finishes)
    {
        using var end = new SemaphoreSlim(0);
        await using var backend = ScriptedBackend.Start(async x =>
        {
            await x.SendStreamHeadAsync();
            await x.SendChunkAsync("data: 1\n\n");
            await end.WaitAsync(x.Stop);
            await x.SendChunkAsync("data: [DONE]\n\n");
            await x.SendAsync("0\r\n\r\n");
        });
        var config = Configs.For(backend.Id, B);
        TimeSpan? limit = drainingMs is { } ms ? TimeSpan.FromMilliseconds(ms) : null;
        await using var gateway = await TestGateway.StartAsync(config with { Pools = [config.Pools[0] with { DrainingLimit = limit }] });
        using var response = await gateway.PostAsync(Body);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        Assert.Equal("data: 1", await reader.ReadLineAsync());
        using var begun = await DrainAsync(gateway, Request(backend.Id.Address));
        Assert.Equal(1, (await begun.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("drain").GetProperty("inFlightRequests").GetInt32());
        if (finishes) end.Release();
        var rest = await reader.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Contains(finishes ? "[DONE]" : "endpoint_draining", rest, StringComparison.Ordinal);
    }
}
