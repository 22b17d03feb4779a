using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Mesh.Core.Config;
using Mesh.Gateway.Inference.Apis;
using Mesh.Gateway.Tests.Support;

namespace Mesh.Gateway.Tests;

/// <summary>Which paths reach a model server, and which never do.</summary>
public sealed class SurfaceTests
{
    private const string Body = """{"model":"m1","prompt":"hi","input":"hi","messages":[{"role":"user","content":"hi"}],"max_tokens":1}""";

    private static readonly string[] Administrative =
    [
        "/sleep", "/wake_up", "/is_sleeping", "/pause", "/resume", "/abort_requests", "/reset_prefix_cache", "/reset_mm_cache", "/collective_rpc",
        "/update_config", "/server_info", "/load_lora_adapter", "/v1/load_lora_adapter", "/v1/unload_lora_adapter", "/scale_elastic_ep",
        "/start_profile", "/stop_profile", "/invocations", "/inference/v1/generate", "/generative_scoring", "/health", "/ping", "/version", "/load",
        "/docs", "/openapi.json", "/v1/completions/render",
    ];

    private static readonly string[] Tricks =
    [
        "/v1/%2e%2e/sleep", "/v1/%2E%2E/sleep", "//sleep", "/v1//completions", "/v1/completions/../../sleep", "/v1/completions/..%2f..%2fsleep",
        "/v1/completions;/../sleep", "/v1/completions;x", "/v1/completions/;/sleep", "/v1\\..\\sleep", "/\\sleep", "/v1/completions%00", "/v1/completions%2f..%2f..%2fsleep",
        "/v1/completions%252f..%252fsleep", "/v1/completions/", "/V1/completions", "/v1/completions%20", "/v1/responses/../../sleep", "/v1/responses/%2e%2e/%2e%2e/sleep",
        "/v1/responses/..%2f..%2fsleep", "/v1/responses/x;y/cancel", "/v1/responses/a.b", "/v1/responses/x/y/cancel", "/v1/responses//cancel", "/v1/responses/%252e%252e",
        "/v1/models/../../sleep", "/v1/models/..%2f..%2fsleep", "/./sleep", "/v1/./../sleep", "/%73leep", "/v1/%252e%252e/sleep", "/v1/completions?/../../sleep#/sleep",
        "http://x/sleep", "/v1/audio/../../sleep", "/v1/realtime/../../sleep", "/sleep?x=/v1/completions", "/tokenize/../sleep",
    ];

    [Theory]
    [InlineData("/v1/completions")]
    [InlineData("/v1/chat/completions")]
    [InlineData("/v1/responses")]
    [InlineData("/v1/messages")]
    [InlineData("/v1/messages/count_tokens")]
    [InlineData("/v1/embeddings")]
    [InlineData("/v2/embed")]
    [InlineData("/v1/score")]
    [InlineData("/score")]
    [InlineData("/v1/rerank")]
    [InlineData("/v2/rerank")]
    [InlineData("/rerank")]
    [InlineData("/pooling")]
    [InlineData("/classify")]
    [InlineData("/tokenize")]
    [InlineData("/detokenize")]
    [InlineData("/v1/audio/speech")]
    public async Task Post_Api_ReachesTheModelServer(string path)
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(backend);
        using var response = await gateway.PostAsync(Body, path);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal($"POST {path} HTTP/1.1", backend.Requests.Single().RequestLine);
        using var get = await gateway.Client.GetAsync(path);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, get.StatusCode);
        Assert.Equal(["POST"], get.Content.Headers.Allow);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AdministrativePaths_HoweverWritten_NeverReachTheModelServer(bool rewrites)
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        var config = Configs.For(backend.Id);
        if (rewrites)
        {
            // The most open rewrite that there is.
            var filters = new HttpRouteFiltersConfig { UrlRewrite = new UrlRewriteConfig(null, new PathEdit(PathEditType.ReplacePrefixMatch, "/")) };
            config = config with { Routes = [config.Routes[0] with { Rules = [config.Routes[0].Rules[0] with { Filters = filters }] }] };
        }

        await using var gateway = await TestGateway.StartAsync(config);
        foreach (var path in Administrative.Concat(Tricks))
        {
            foreach (var method in new[] { "POST", "GET", "PUT", "DELETE" }) await SendAsync(gateway, method, path);
        }

        var reached = backend.Requests.Select(r => r.RequestLine).Distinct().ToArray();
        // Only what is an API after the server's own decoding may arrive, and as that API.
        Assert.All(reached, line => Assert.StartsWith("POST /v1/completions", line, StringComparison.Ordinal));
        Assert.All(reached, line => Assert.NotNull(InferenceApis.Find(line.Split(' ')[1].Split('?')[0])));
    }

    [Fact]
    public async Task Rewrite_ToAnAdministrativePath_IsRefused()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        var config = Configs.For(backend.Id);
        foreach (var target in new[] { "/sleep", "/v1/%2e%2e/sleep", "/x/../sleep", "/v1/load_lora_adapter", "/SLEEP", "/%2573leep", "/v1;/collective_rpc" })
        {
            var filters = new HttpRouteFiltersConfig { UrlRewrite = new UrlRewriteConfig(null, new PathEdit(PathEditType.ReplaceFullPath, target)) };
            var edited = config with { Routes = [config.Routes[0] with { Rules = [config.Routes[0].Rules[0] with { Filters = filters }] }] };
            await using var gateway = await TestGateway.StartAsync(edited);
            using var response = await gateway.PostAsync(Body);
            Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        }

        Assert.Empty(backend.Requests);
    }

    [Fact]
    public async Task Realtime_IsRefusedWithAReason()
    {
        await using var gateway = await TestGateway.StartAsync(Configs.For(Configs.Dead()));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/realtime?model=m1");
        request.Headers.TryAddWithoutValidation("Connection", "Upgrade");
        request.Headers.TryAddWithoutValidation("Upgrade", "websocket");
        using var response = await gateway.Client.SendAsync(request);
        Assert.Equal(HttpStatusCode.NotImplemented, response.StatusCode);
        Assert.Equal("realtime_unsupported", (await ErrorBody.ReadAsync(response)).Code);
    }

    [Theory]
    [InlineData("/v1/models/m1", 200)]
    [InlineData("/v1/models/org/model", 200)]
    [InlineData("/v1/models/org%2Fmodel", 200)]
    [InlineData("/v1/models/other", 404)]
    public async Task OneModel_IsFoundByItsName(string path, int status)
    {
        await using var gateway = await TestGateway.StartAsync(Configs.For(Configs.Dead()));
        gateway.Engine.Models = ["m1", "org/model"];
        using var response = await gateway.Client.GetAsync(path);
        Assert.Equal(status, (int)response.StatusCode);
        if (status == 404) Assert.Equal("model_not_found", (await ErrorBody.ReadAsync(response)).Code);
        else Assert.Equal(Uri.UnescapeDataString(path["/v1/models/".Length..]), JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement.GetProperty("id").GetString());
    }

    [Theory]
    [InlineData("/v1/embeddings", """{"model":"m1","input":"12345678"}""", 2, 1)]
    [InlineData("/v1/rerank", """{"model":"m1","query":"1234","documents":["1234","1234"]}""", 3, 1)]
    [InlineData("/score", """{"model":"m1","text_1":"1234","text_2":["1234","1234"]}""", 3, 1)]
    [InlineData("/tokenize", """{"model":"m1","prompt":"12345678"}""", 0, 1)]
    [InlineData("/v1/messages/count_tokens", """{"model":"m1","messages":[{"role":"user","content":"12345678"}]}""", 0, 1)]
    [InlineData("/v1/messages", """{"model":"m1","max_tokens":9,"system":"1234","messages":[{"role":"user","content":"12345678"}]}""", 11, 9)]
    [InlineData("/v1/responses", """{"model":"m1","max_output_tokens":8,"instructions":"1234","input":"12345678"}""", 7, 8)]
    [InlineData("/v1/responses", """{"model":"m1","input":[{"role":"user","content":[{"type":"input_text","text":"12345678"}]}]}""", 6, 0)]
    public async Task Load_IsExpectedByApi(string path, string body, int prompt, int output)
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(backend);
        using var response = await gateway.PostAsync(body, path);
        var routed = gateway.Engine.Requests.Single();
        Assert.Equal((prompt, output), (routed.PromptTokens, routed.MaxOutputTokens));
    }

    private static async Task SendAsync(TestGateway gateway, string method, string path)
    {
        using var socket = await gateway.ConnectAsync();
        // Backslashes and the like must arrive as they are: no client library between.
        var request = $"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {Body.Length}\r\n\r\n{Body}";
        await socket.SendAsync(Encoding.Latin1.GetBytes(request));
        var buffer = new byte[4096];
        var read = await socket.ReceiveAsync(buffer, SocketFlags.None).WaitAsync(TimeSpan.FromSeconds(10));
        Assert.StartsWith("HTTP/1.1 ", Encoding.Latin1.GetString(buffer, 0, read), StringComparison.Ordinal);
    }
}
