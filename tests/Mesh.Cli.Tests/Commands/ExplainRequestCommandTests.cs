using System.Net;
using Mesh.Cli.Tests.Support;

namespace Mesh.Cli.Tests.Commands;

public sealed class ExplainRequestCommandTests
{
    private const string Answer = """
        {"decisions":[
        {"schema":1,"request_id":"r1","pool":"default/pool","time":"2026-01-02T03:04:05+00:00","outcome":"send","reason":"best_score","endpoint":"10.0.0.2:8000","backend":"west/a:8000","model":"m","priority":0,"prompt_tokens":12,"attempt":2,"profile":"default/own","waited_ms":12.5,"wait_reason":"endpoint_has_work","waits_for":"10.0.0.2:8000","waiting_requests":3,"candidate_count":2,
        "candidates":[{"endpoint":"10.0.0.3:8000","backend":"west/a:8000","predicted_ttft_ms":10,"predicted_tpot_ms":7.3,"wait_ms":1,"queued_ms":2,"own_ms":7,"cached_tokens":64,"in_flight_requests":6,"kv_utilization_ratio":0.25,"score":1.5,"scores":[{"scorer":"prefix","score":0.5,"weight":3}],"chosen":false},{"endpoint":"10.0.0.2:8000","chosen":true}],
        "removed_by":[{"filter":"not-excluded","count":3}],"removed":[{"endpoint":"10.0.0.1:8000","filter":"not-excluded"}],
        "backends":[{"backend":"west/a:8000","fullness":0.5,"in_flight":6,"healthy":2,"endpoints":3,"open":true},{"backend":"east/b:8000","in_flight":0,"healthy":0,"endpoints":2,"open":false}]},
        {"schema":2,"request_id":"r1","pool":"default/pool","outcome":"refuse","reason":"something_new","more":{"x":[1]}}
        ]}
        """;

    [Fact]
    public async Task ExplainRequest_Found_ShowsEveryAttemptTheFirstAttemptFirst()
    {
        await using var server = new ScriptedServer(200, Answer);
        var run = await ToolRun.OfAsync("explain", "request", "r 1/x", "--server", server.Url);

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Equal("/mesh/v1/decisions/r%201%2Fx", server.Path);
        Assert.StartsWith("Request r1: refused\n  reason       something_new: not told\n", run.Output, StringComparison.Ordinal);
        Assert.Contains("Request r1: sent to 10.0.0.2:8000 of west/a:8000\n  reason       best_score: the picker's choice by the scores\n", run.Output, StringComparison.Ordinal);
        Assert.Contains("  waited       12.5 ms, for 10.0.0.2:8000 to have less work outstanding\n", run.Output, StringComparison.Ordinal);
        Assert.Contains("  candidates   2 of 5 endpoints; 3 other requests waited\n", run.Output, StringComparison.Ordinal);
        Assert.Matches(@"    +10\.0\.0\.3:8000 +west/a:8000 +1\.5 +10 +7\.3 +1 +2 +7 +64 +6 +25% +prefix 3 × 0\.5\n", run.Output);
        Assert.Matches(@"    → +10\.0\.0\.2:8000 +– ", run.Output);
        Assert.Matches(@"    not-excluded +3 +10\.0\.0\.1:8000, …\n", run.Output);
        Assert.Matches(@"    west/a:8000 +50% of target +6 in flight +2 of 3 healthy\n", run.Output);
        Assert.Matches(@"    east/b:8000 +no target, or load unknown +0 in flight +0 of 2 healthy +closed: scaled to 0 or drained\n", run.Output);
    }

    [Fact]
    public async Task ExplainRequest_Json_IsTheGatewaysAnswer()
    {
        await using var server = new ScriptedServer(200, Answer);
        var run = await ToolRun.OfAsync("explain", "request", "r1", "-o", "json", "--server", server.Url);

        Assert.Equal((0, "r1", 12.5), (run.ExitCode, run.Json.GetProperty("decisions")[0].GetProperty("request_id").GetString(), run.Json.GetProperty("decisions")[0].GetProperty("waited_ms").GetDouble()));
    }

    [Theory]
    [InlineData(404, """{"error":{"message":"No decision on request r1 is kept.","code":"unknown_decision"}}""", "No decision on request r1 is kept.", "x-mesh-explain: 1")]
    [InlineData(403, """{"error":{"message":"Decisions are shown to clients on the gateway's machine.","code":"not_allowed"}}""", "on the gateway's machine", "Mesh:AdminAddress")]
    [InlineData(401, "", "it answered 401", "MESH_KEY")]
    [InlineData(403, """{"error":{"message":"Key `a` has not the role reader.","code":"role_missing"}}""", "has not the role reader", "MESH_KEY")]
    [InlineData(404, """{"error":{"message":"Unknown path /mesh/v1/decisions/r1.","code":"unknown_path"}}""", "has no page of decisions", "--server URL or MESH_SERVER")]
    [InlineData(404, "<html>", "it answered 404", "--server URL or MESH_SERVER")]
    [InlineData(200, "<html>", "is not the gateway's", "--server URL or MESH_SERVER")]
    [InlineData(500, "oops", "it answered 500", "gateway's log")]
    public async Task ExplainRequest_NoAnswer_SaysWhyAndWhatNext(int status, string body, string message, string next)
    {
        await using var server = new ScriptedServer(status, body);
        var run = await ToolRun.OfAsync("explain", "request", "r1", "--server", server.Url);

        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        var lines = run.Error.Split('\n');
        Assert.Contains(message, lines[0], StringComparison.Ordinal);
        Assert.StartsWith("next: ", lines[1], StringComparison.Ordinal);
        Assert.Contains(next, lines[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task ExplainRequest_NobodyListens_SaysSo()
    {
        await using var server = new ScriptedServer(200, Answer);
        var url = server.Url;
        await server.DisposeAsync();
        var run = await ToolRun.OfAsync("explain", "request", "r1", "--server", url);

        Assert.Equal(1, run.ExitCode);
        Assert.Contains($"error: {url}/ cannot be reached", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("ftp://127.0.0.1")]
    [InlineData("")]
    public async Task ExplainRequest_ServerThatIsNoUrl_IsAMistakeOfTheCommandLine(string server)
    {
        var run = await ToolRun.OfAsync("explain", "request", "r1", "--server", server);

        Assert.Equal(2, run.ExitCode);
        Assert.Contains("it must be a URL such as http://127.0.0.1:9090", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Explain_DirectoryNamedRequest_IsWrittenWithItsPath()
    {
        var run = await ToolRun.OfAsync("explain", "./request", "--pool", "p");

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("./request", run.Error, StringComparison.Ordinal);
    }

    /// <summary>Answers every request alike.</summary>
    private sealed class ScriptedServer : IAsyncDisposable
    {
        private readonly System.Net.Sockets.TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly Task _serving;

        public ScriptedServer(int status, string body)
        {
            _listener.Start();
            _serving = ServeAsync(status, System.Text.Encoding.UTF8.GetBytes(body));
        }

        public string Url => $"http://{_listener.LocalEndpoint}";

        /// <summary>Path that was asked for, as it was sent.</summary>
        public string? Path { get; private set; }

        public async ValueTask DisposeAsync()
        {
            _listener.Stop();
            await _serving;
        }

        private async Task ServeAsync(int status, byte[] body)
        {
            try
            {
                while (true)
                {
                    using var client = await _listener.AcceptTcpClientAsync();
                    await using var stream = client.GetStream();
                    using var reader = new StreamReader(stream, leaveOpen: true);
                    Path = (await reader.ReadLineAsync())?.Split(' ')[1];
                    while (await reader.ReadLineAsync() is { Length: > 0 })
                    {
                    }

                    await stream.WriteAsync(System.Text.Encoding.ASCII.GetBytes($"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n"));
                    await stream.WriteAsync(body);
                }
            }
            catch (Exception e) when (e is System.Net.Sockets.SocketException or ObjectDisposedException or IOException)
            {
                // The test is over.
            }
        }
    }
}
