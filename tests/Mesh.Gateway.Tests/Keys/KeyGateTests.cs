using System.Net;
using System.Text.Json;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Gateway.Hosting;
using Mesh.Gateway.Keys;
using Mesh.Gateway.Tests.Support;
using Mesh.Testing.Net;

namespace Mesh.Gateway.Tests.Keys;

public sealed class KeyGateTests
{
    private const string Body = """{"model":"m1","prompt":"hi"}""";
    private const string Key = "sk-0123456789abcdef0123456789";

    private static Action<GatewayOptions> With(string key = Key, Action<KeyEntry>? set = null) => options =>
    {
        var entry = new KeyEntry { Hash = KeyHash.Of("team", key).ToString() };
        set?.Invoke(entry);
        options.Keys.Entries["team"] = entry;
    };

    private static Action<HttpRequestMessage> Bearing(string key, string header = "Authorization") =>
        r => r.Headers.TryAddWithoutValidation(header, header == "Authorization" ? $"Bearer {key}" : key);

    [Theory]
    [InlineData("Authorization")]
    [InlineData("x-api-key")]
    [InlineData("api-key")]
    public async Task Key_InAnyOfTheHeaders_EntersAndGoesNoFurther(string header)
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(Configs.For(backend.Id), With());
        using var response = await gateway.PostAsync(Body, edit: Bearing(Key, header));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var sent = Assert.Single(backend.Requests);
        Assert.DoesNotContain(sent.Headers, h => h.Value.Contains(Key, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Key_SaltedByItsId_Enters()
    {
        var key = KeyHash.NewKey("team");
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(Configs.For(backend.Id), With(key));
        using var response = await gateway.PostAsync(Body, edit: Bearing(key));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Theory]
    [InlineData("inference", false)]
    [InlineData("reader", true)]
    public async Task Explaining_IsForKeysThatMayLookInside(string role, bool answered)
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(Configs.For(backend.Id), With(set: e => e.Roles = ["inference", role]));
        using var response = await gateway.PostAsync(Body, edit: r =>
        {
            Bearing(Key)(r);
            r.Headers.Add("x-mesh-explain", "1");
        });
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(answered, response.Headers.Contains("x-mesh-attempts"));
    }

    [Fact]
    public async Task NoKey_Is401WithTheScheme()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(Configs.For(backend.Id), With());
        using var response = await gateway.PostAsync(Body);
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.Equal("Bearer realm=\"mesh\"", response.Headers.WwwAuthenticate.ToString());
        var error = await ErrorBody.ReadAsync(response);
        Assert.Equal(("invalid_request_error", "missing_api_key"), (error.Type, error.Code));
        Assert.Empty(backend.Requests);
        Assert.Equal(1, gateway.Host.Metrics.Refusals.With("missing_api_key").Value);
    }

    [Theory]
    [InlineData("sk-0123456789abcdef012345678")]
    [InlineData("mesh_team_x")]
    [InlineData("")]
    [InlineData("a b")]
    public async Task WrongKey_Is401AndIsNotRepeated(string key)
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        var loggers = new CapturingLoggers("Mesh.Gateway.Keys.KeyGate");
        await using var gateway = await TestGateway.StartAsync(Configs.For(backend.Id), With(), loggers);
        using var response = await gateway.PostAsync(Body, edit: Bearing(key));
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        var text = await response.Content.ReadAsStringAsync();
        if (key.Length > 0)
        {
            Assert.Contains("\"code\":\"invalid_api_key\"", text, StringComparison.Ordinal);
            Assert.Contains("error=\"invalid_token\"", response.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
            Assert.DoesNotContain(key, text, StringComparison.Ordinal);
        }

        Assert.DoesNotContain(loggers.Lines, l => key.Length > 0 && l.Contains(key, StringComparison.Ordinal));
        Assert.Empty(backend.Requests);
    }

    [Fact]
    public async Task WrongKey_AtMessages_IsInAnthropicsShape()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(Configs.For(backend.Id), With(set: e => e.Models = ["other"]));
        foreach (var (key, status, type) in new[] { ("wrong", HttpStatusCode.Unauthorized, "authentication_error"), (Key, HttpStatusCode.Forbidden, "permission_error") })
        {
            using var response = await gateway.PostAsync("{\"model\":\"m1\",\"max_tokens\":5,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}", "/v1/messages", Bearing(key, "x-api-key"));
            Assert.Equal(status, response.StatusCode);
            using var json = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
            Assert.Equal(("error", type), (json.RootElement.GetProperty("type").GetString(), json.RootElement.GetProperty("error").GetProperty("type").GetString()));
        }
    }

    [Fact]
    public async Task AccessLog_NamesTheKeyAndNeverShowsIt()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        var loggers = new CapturingLoggers("Mesh.AccessLog");
        var config = Configs.For(backend.Id);
        config = config with { Pools = [config.Pools[0] with { LogSampleRatio = 1 }] };
        await using var gateway = await TestGateway.StartAsync(config, With(), loggers);
        using var response = await gateway.PostAsync(Body, edit: Bearing(Key));
        await Eventually.TrueAsync(() => !loggers.Lines.IsEmpty, "the line is written");
        var line = Assert.Single(loggers.Lines);
        Assert.Contains("\"key\":\"team\"", line, StringComparison.Ordinal);
        Assert.DoesNotContain(Key, line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WrongKeys_PastTheLimit_Are429_AndTheRightOneStillEnters()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        var loggers = new CapturingLoggers("Mesh.Gateway.Keys.KeyGate");
        await using var gateway = await TestGateway.StartAsync(Configs.For(backend.Id), o => { With()(o); o.Keys.FailuresPerMinute = 3; }, loggers);
        for (var i = 0; i < 3; i++)
        {
            using var wrong = await gateway.PostAsync(Body, edit: Bearing("wrong"));
            Assert.Equal(HttpStatusCode.Unauthorized, wrong.StatusCode);
        }

        using var refused = await gateway.PostAsync(Body, edit: Bearing("wrong"));
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 60);
        using var right = await gateway.PostAsync(Body, edit: Bearing(Key));
        Assert.Equal(HttpStatusCode.OK, right.StatusCode);
        Assert.Single(loggers.Lines, l => l.Contains("sends wrong keys", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Key_PastItsEnd_Is401()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(Configs.For(backend.Id), With(set: e => e.NotAfter = new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.Zero)));
        using var response = await gateway.PostAsync(Body, edit: Bearing(Key));
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.Equal("Incorrect API key provided. The key has expired.", (await ErrorBody.ReadAsync(response)).Message);
    }

    [Fact]
    public async Task Model_OutsideOfTheKeys_Is403AndNotListed()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(Configs.For(backend.Id), With(set: e => e.Models = ["llama-*"]));
        gateway.Engine.Models = ["llama-3", "m1"];
        using var refused = await gateway.PostAsync(Body, edit: Bearing(Key));
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        var error = await ErrorBody.ReadAsync(refused);
        Assert.Equal(("model_not_allowed", "model"), (error.Code, error.Param));
        using var taken = await gateway.PostAsync("""{"model":"llama-3","prompt":"hi"}""", edit: Bearing(Key));
        Assert.Equal(HttpStatusCode.OK, taken.StatusCode);
        gateway.Client.DefaultRequestHeaders.Add("x-api-key", Key);
        using var list = JsonDocument.Parse(await gateway.Client.GetStringAsync("/v1/models"));
        Assert.Equal(["llama-3"], list.RootElement.GetProperty("data").EnumerateArray().Select(m => m.GetProperty("id").GetString()));
    }

    [Fact]
    public async Task Objective_FairnessAndPriority_AreTheKeys()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        var config = Configs.For(backend.Id) with { Objectives = [new ObjectiveConfig("default", "fast", 10, "pool"), new ObjectiveConfig("default", "slow", -5, "pool")] };
        await using var gateway = await TestGateway.StartAsync(config, With(set: e => { e.Objectives = ["fast", "slow"]; e.MaxPriority = 3; e.FairnessId = "team-flow"; }));
        using var first = await gateway.PostAsync(Body, edit: r => { Bearing(Key)(r); r.Headers.Add("x-gateway-inference-objective", "fast"); r.Headers.Add("x-gateway-inference-fairness-id", "mine"); });
        using var second = await gateway.PostAsync(Body, edit: r => { Bearing(Key)(r); r.Headers.Add("x-gateway-inference-objective", "slow"); });
        using var third = await gateway.PostAsync(Body, edit: r => { Bearing(Key)(r); r.Headers.Add("x-gateway-inference-objective", "other"); });
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.Forbidden), (first.StatusCode, second.StatusCode, third.StatusCode));
        Assert.Equal("objective_not_allowed", (await ErrorBody.ReadAsync(third)).Code);
        Assert.Equal([(3, "team-flow"), (-5, "team-flow")], gateway.Engine.Requests.Select(r => (r.Priority, r.FairnessId)));
    }

    [Fact]
    public async Task Pages_AskForAReader_AndInferenceForItsOwnRole()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        const string Reader = "sk-reader-0123456789abcdef";
        await using var gateway = await TestGateway.StartAsync(Configs.For(backend.Id), o =>
        {
            With()(o);
            o.Keys.Entries["reader"] = new KeyEntry { Hash = KeyHash.Of("reader", Reader).ToString(), Roles = ["reader"] };
        });
        foreach (var page in new[] { "/metrics", "/mesh/v1/decisions" })
        {
            Assert.Equal(HttpStatusCode.Unauthorized, await GetAsync(gateway, page, null));
            Assert.Equal(HttpStatusCode.Forbidden, await GetAsync(gateway, page, Key));
            Assert.Equal(HttpStatusCode.OK, await GetAsync(gateway, page, Reader));
        }

        Assert.Equal(HttpStatusCode.OK, await GetAsync(gateway, "/healthz", null));
        Assert.Equal(HttpStatusCode.OK, await GetAsync(gateway, "/readyz", null));
        Assert.Equal(HttpStatusCode.NotFound, await GetAsync(gateway, "/nothing", null));
        using var refused = await gateway.PostAsync(Body, edit: Bearing(Reader));
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        Assert.Equal("role_missing", (await ErrorBody.ReadAsync(refused)).Code);
        Assert.Contains("insufficient_scope", refused.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AdminOnTheLoopback_AsksOnlyWhenKeysAreRequired()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        foreach (var (mode, expected) in new[] { (KeyMode.Auto, HttpStatusCode.OK), (KeyMode.Required, HttpStatusCode.Unauthorized) })
        {
            var admin = FreePorts.NextAddress();
            await using var gateway = await TestGateway.StartAsync(Configs.For(backend.Id), o => { With()(o); o.Keys.Mode = mode; o.AdminAddress = admin.ToString(); });
            using var client = Clients.Create(new Uri($"http://{admin}"));
            using var response = await client.GetAsync("/metrics");
            Assert.Equal(expected, response.StatusCode);
        }
    }

    [Theory]
    [InlineData("Off", false, true)]
    [InlineData("Auto", true, true)]
    [InlineData("Auto", false, false)]
    [InlineData("Required", false, false)]
    public async Task OpenAddress_NeedsKeysOrAWord(string modeName, bool hasKeys, bool starts)
    {
        var mode = Enum.Parse<KeyMode>(modeName);
        var config = Configs.For(new EndpointId("10.0.0.1:8000"));
        var port = FreePorts.NextAddress().Port;
        var starting = TestGateway.StartAsync(config, o =>
        {
            o.Listeners["80"] = $"0.0.0.0:{port}";
            o.Keys.Mode = mode;
            if (hasKeys) With()(o);
        });
        if (starts)
        {
            await using var gateway = await starting;
            return;
        }

        var refused = await Assert.ThrowsAsync<GatewayConfigurationException>(() => starting);
        if (mode == KeyMode.Required) Assert.StartsWith("Mesh:Keys:Mode is Required, but there are no keys.", refused.Message, StringComparison.Ordinal);
        else Assert.Contains("--Mesh:Keys:Mode=Off", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task OpenAdminAddress_NeedsKeysToo()
    {
        var refused = await Assert.ThrowsAsync<GatewayConfigurationException>(
            () => TestGateway.StartAsync(Configs.For(new EndpointId("10.0.0.1:8000")), o => o.AdminAddress = $"0.0.0.0:{FreePorts.NextAddress().Port}"));
        Assert.Contains("can be reached from other machines", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task File_EditedBrokenAndRepaired_TheLastGoodHolds()
    {
        using var directory = new TempFolder();
        var path = directory.Write("keys.json", File(("one", Key)));
        await using var backend = ScriptedBackend.Answering(200, "{}");
        var loggers = new CapturingLoggers("Mesh.Gateway.Keys.KeyStore");
        await using var gateway = await TestGateway.StartAsync(Configs.For(backend.Id), o => o.Keys.File = path, loggers);
        Assert.Equal(HttpStatusCode.OK, await PostAsync(gateway, Key));
        directory.Write("keys.json", "{\"keys\":[");
        await Eventually.TrueAsync(() => loggers.Lines.Any(l => l.Contains("before stay in force", StringComparison.Ordinal)), "the edit is refused", 20_000);
        Assert.Equal(HttpStatusCode.OK, await PostAsync(gateway, Key));
        const string Next = "sk-next-0123456789abcdef0123";
        directory.Write("keys.json", File(("two", Next)));
        await Eventually.TrueAsync(() => loggers.Lines.Any(l => l.Contains("The keys changed; 1", StringComparison.Ordinal)), "the edit is taken", 20_000);
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.Unauthorized), (await PostAsync(gateway, Next), await PostAsync(gateway, Key)));
        Assert.DoesNotContain(loggers.Lines, l => l.Contains("sk-", StringComparison.Ordinal));
    }

    [Fact]
    public async Task File_BrokenOrMissingAtTheStart_IsTold()
    {
        using var directory = new TempFolder();
        var broken = directory.Write("keys.json", """{"keys":[{"id":"a"}]}""");
        var config = Configs.For(new EndpointId("10.0.0.1:8000"));
        var refused = await Assert.ThrowsAsync<GatewayConfigurationException>(() => TestGateway.StartAsync(config, o => o.Keys.File = broken));
        Assert.Equal($"{broken}: keys[0] (a): hash must be sha256:HASH or sha256:SALT:HASH in hexadecimal digits; mesh keys new makes one.", refused.Message);
        var missing = Path.Combine(directory.Path, "nothing.json");
        refused = await Assert.ThrowsAsync<GatewayConfigurationException>(() => TestGateway.StartAsync(config, o => o.Keys.File = missing));
        Assert.StartsWith($"{missing} cannot be read:", refused.Message, StringComparison.Ordinal);
    }

    private static string File(params (string Id, string Key)[] keys) =>
        $"{{\"keys\":[{string.Join(',', keys.Select(k => $"{{\"id\":\"{k.Id}\",\"hash\":\"{KeyHash.Of(k.Id, k.Key)}\"}}"))}]}}";

    private static async Task<HttpStatusCode> PostAsync(TestGateway gateway, string key)
    {
        using var response = await gateway.PostAsync(Body, edit: Bearing(key));
        return response.StatusCode;
    }

    private static async Task<HttpStatusCode> GetAsync(TestGateway gateway, string path, string? key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (key is not null) Bearing(key)(request);
        using var response = await gateway.Client.SendAsync(request);
        return response.StatusCode;
    }
}
