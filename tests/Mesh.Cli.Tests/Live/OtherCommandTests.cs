using System.Text.Json;
using Mesh.Cli.Tests.Support;

namespace Mesh.Cli.Tests.Live;

public sealed class OtherCommandTests
{
    [Fact]
    public async Task Describe_Pool_HasPoliciesAndSettingsWithTheirPlace()
    {
        await using var server = LiveServer.WithMesh();
        var run = await server.RunAsync("describe", "pool", "llama");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Contains("Id:                        default/llama\n", run.Output, StringComparison.Ordinal);
        Assert.Contains("Fullness:                  125%\n", run.Output, StringComparison.Ordinal);
        Assert.Matches(@"Settings:\n  Name +Value +Source +Origin +File +Line\n  timeoutSec +100 +west/policy\.yaml:9 +policy +west/policy\.yaml +9\n", run.Output);
        Assert.Contains("GET /api/v1/pools/default/llama", server.Asked);
    }

    [Fact]
    public async Task Describe_DrainedEndpoint_SaysWhoAndWhy()
    {
        await using var server = LiveServer.WithMesh();
        var run = await server.RunAsync("describe", "endpoint", "pod-2");
        Assert.Contains("State:                     drained\n", run.Output, StringComparison.Ordinal);
        Assert.EndsWith("Drained:\n  with endpoint 10.0.0.2:8000, since 2026-01-02T03:04:05+00:00, by alice: new driver\n", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("Drained:", (await server.RunAsync("describe", "endpoint", "pod-1")).Output, StringComparison.Ordinal);
        Assert.Equal("pod-2", (await server.RunAsync("describe", "endpoint", "pod-2", "-o", "json")).Json.GetProperty("pod").GetString());
    }

    [Fact]
    public async Task Describe_UnknownName_NamesTheNearest()
    {
        await using var server = LiveServer.WithMesh();
        var run = await server.RunAsync("describe", "pool", "lama");
        Assert.Equal((1, "error: There is no pool lama; did you mean llama?\nnext: pools are default/llama\n"), (run.ExitCode, run.Error));
    }

    [Fact]
    public async Task Describe_PartOfAName_IsMeantForIt()
    {
        await using var server = LiveServer.WithMesh();
        Assert.StartsWith("error: There is no pool lla; did you mean default/llama?", (await server.RunAsync("describe", "pool", "lla")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Top_NoTerminal_PrintsOnce()
    {
        await using var server = LiveServer.WithMesh();
        var run = await server.RunAsync("top");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Contains("region eu, up 90s, configuration 3: ready; 2/3 endpoints ready, 7 requests open, 4 queued, 7 leases\n", run.Output, StringComparison.Ordinal);
        Assert.Contains("default/llama", run.Output, StringComparison.Ordinal);
        Assert.Matches(@"Endpoints by inFlightRequests\nADDRESS.*\n10\.0\.0\.1:8000.*\n10\.0\.0\.2:8000.*\n10\.1\.0\.1:8000", run.Output);
        Assert.DoesNotContain("\x1b", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Top_Terminal_FitsTheScreen_SortsByS_QuitsByQ()
    {
        await using var server = LiveServer.WithMesh();
        var keys = new Queue<ConsoleKey?>([null, ConsoleKey.S, null, ConsoleKey.Q]);
        var run = await ToolRun.WithAsync(new Dictionary<string, string> { ["MESH_SERVER"] = server.Url }, ["top"], readKey: () => keys.TryDequeue(out var key) ? key : null, height: 12);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.StartsWith("\x1b[?1049h", run.Output, StringComparison.Ordinal);
        Assert.EndsWith("\x1b[?25h\x1b[?1049l", run.Output, StringComparison.Ordinal);
        Assert.Contains("by inFlightTokens", run.Output, StringComparison.Ordinal);
        Assert.All(run.Output.Split("\x1b[2J").Skip(1), screen => Assert.True(screen.Split('\n').Length <= 12));
    }

    [Fact]
    public async Task Top_Refused_SaysWhy()
    {
        await using var server = new LiveServer { Refuse = ("401 Unauthorized", "missing_api_key", "You did not provide an API key.") };
        var run = await server.RunAsync("top");
        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.Contains("MESH_KEY", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("top --interval 0", "Option --interval must be 0.2–3600 seconds.")]
    [InlineData("drain endpoint x", "Option '--reason' is required.")]
    [InlineData("drain pod x --reason y", "KIND is pod; it must be one of endpoint, cluster, region.")]
    [InlineData("completion tcsh", "tcsh is none of bash, zsh, fish.")]
    [InlineData("config use-contxt a", "mesh config has no command use-contxt; did you mean use-context?")]
    public async Task BadCommandLine_IsAMistakeOfUsage(string arguments, string message)
    {
        var run = await ToolRun.OfAsync(arguments.Split(' '));
        Assert.Equal((2, ""), (run.ExitCode, run.Output));
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Drain_SendsWhoAndWhy_AndTellsWhatIsLeft()
    {
        await using var server = new LiveServer();
        server.Pages["/api/v1/drains"] = """{"drain":{"kind":"cluster","name":"west","endpoints":2,"inFlightRequests":3},"drained":true,"persisted":false,"warning":"no state directory"}""";
        var run = await server.RunAsync("drain", "cluster", "west", "--reason", "new driver", "--force");
        Assert.Equal((0, "cluster west drained: 2 endpoints, 3 requests in flight\n", "warning: no state directory\n"), (run.ExitCode, run.Output, run.Error));
        var sent = JsonDocument.Parse(server.Requests.Single().Body).RootElement;
        Assert.Equal(("cluster", "west", "new driver", true), (sent.GetProperty("kind").GetString(), sent.GetProperty("name").GetString(), sent.GetProperty("reason").GetString(), sent.GetProperty("force").GetBoolean()));
        Assert.StartsWith("alice@", sent.GetProperty("by").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Undrain_NamesTheDrainInThePath()
    {
        await using var server = new LiveServer();
        server.Pages["/api/v1/drains/endpoint/%5B::1%5D:8000"] = server.Pages["/api/v1/drains/endpoint/%5B%3A%3A1%5D%3A8000"] =
            """{"drain":{"kind":"endpoint","name":"[::1]:8000","endpoints":1,"inFlightRequests":0},"drained":false,"persisted":true}""";
        var run = await server.RunAsync("undrain", "endpoint", "[::1]:8000", "--reason", "done");
        Assert.Equal((0, "endpoint [::1]:8000 undrained: 1 endpoint, 0 requests in flight\n", ""), (run.ExitCode, run.Output, run.Error));
        Assert.Contains("reason=done", server.Asked.Single(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("409 Conflict", "last_endpoint", "Draining cluster west would leave pool p without a ready endpoint.", "--force")]
    [InlineData("404 Not Found", "unknown_target", "There is no cluster west; did you mean gke-west?", "mesh get clusters")]
    [InlineData("403 Forbidden", "role_missing", "Key `a` has not the role operator.", "role operator")]
    public async Task Drain_Refused_SaysWhatToDo(string status, string code, string message, string next)
    {
        await using var server = new LiveServer { Refuse = (status, code, message) };
        var run = await server.RunAsync("drain", "cluster", "west", "--reason", "x");
        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
        Assert.Contains(next, run.Error.Split('\n')[1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("get po", "pools")]
    [InlineData("drain cl", "cluster")]
    [InlineData("get pools --wat", "--watch")]
    [InlineData("get pools -o ya", "yaml")]
    [InlineData("und", "undrain")]
    public async Task Suggest_HalfALine_GivesWhatFollows(string line, string expected)
    {
        var run = await ToolRun.OfAsync($"[suggest:{line.Length + 5}]", "mesh " + line);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Contains(expected, run.Output.Split(['\n', '\r']));
    }

    [Theory]
    [InlineData("bash", "complete -o default -F _mesh_complete mesh")]
    [InlineData("zsh", "compdef _mesh_complete mesh")]
    [InlineData("fish", "complete -c mesh")]
    public async Task Completion_EveryShell_GetsItsScript(string shell, string line)
    {
        var run = await ToolRun.OfAsync("completion", shell);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Contains(line, run.Output, StringComparison.Ordinal);
        Assert.Contains("[suggest:", run.Output, StringComparison.Ordinal);
    }
}
