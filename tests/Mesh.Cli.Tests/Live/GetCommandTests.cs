using System.Text.Json;
using Mesh.Cli.Live;
using Mesh.Cli.Tests.Support;

namespace Mesh.Cli.Tests.Live;

public sealed class GetCommandTests
{
    private static string[] Lines(ToolRun run) => run.Output.TrimEnd('\n').Split('\n');

    private static string[] Cells(string line) => line.Split("   ", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    [Theory]
    [InlineData("pools", "NAME READY IN-FLIGHT REQ/S QUEUED FULL TTFT-P50 TTFT-P95", "default/llama 2/3 7 12.3 4 125% 42ms 1.2s")]
    [InlineData("po", "NAME READY IN-FLIGHT REQ/S QUEUED FULL TTFT-P50 TTFT-P95", "default/llama 2/3 7 12.3 4 125% 42ms 1.2s")]
    [InlineData("backend", "POOL NAME REGION READY IN-FLIGHT REQ/S TARGET FULL KV TTFT-P95", "default/llama west/a:8000 eu 2/2 6 10.0 8 in flight 75% - -")]
    [InlineData("endpoints", "ADDRESS POD CLUSTER STATE IN-FLIGHT TOKENS WAITING KV PREFIX-HITS SAMPLE", "10.0.0.1:8000 pod-1 west ready 4 400 0 50% - 200ms")]
    [InlineData("regions", "NAME LINK READY IN-FLIGHT REQ/S FULL RTT CREDITS", "eu own 2/2 6 10.0 - - -")]
    [InlineData("clusters", "NAME REGION READY IN-FLIGHT REQ/S FULL", "west eu 2/2 6 10.0 -")]
    [InlineData("objectives", "NAMESPACE NAME PRIORITY POOL QUEUED", "default chat 10 default/llama 4")]
    [InlineData("leases", "ID POOL ENDPOINT AGE PROMPT OUTPUT ANSWERING", "1-7 default/llama 10.0.0.1:8000 3.2s 100 50 true")]
    public async Task Get_Table_HasAHeaderAndARowForEach(string kind, string headers, string first)
    {
        await using var server = LiveServer.WithMesh();
        var run = await server.RunAsync("get", kind);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Equal(headers, string.Join(' ', Cells(Lines(run)[0])));
        Assert.Equal(first, string.Join(' ', Cells(Lines(run)[1])));
    }

    [Fact]
    public async Task Get_DecisionsAndDrains_TellTheirAge()
    {
        await using var server = LiveServer.WithMesh();
        Assert.Matches(@"AGE +REQUEST +POOL +OUTCOME +REASON +ENDPOINT +WAITED\n\d+d +r1 +default/llama +send +least_cost +10\.0\.0\.1:8000 +12ms\n", (await server.RunAsync("get", "decisions")).Output);
        Assert.Matches(@"endpoint +10\.0\.0\.2:8000 +- +1 +0 +\d+d +alice +new driver\n", (await server.RunAsync("get", "drains")).Output);
    }

    [Fact]
    public async Task Get_EveryKind_HasColumnsForBothTables()
    {
        await using var server = LiveServer.WithMesh();
        foreach (var kind in LiveKinds.All)
        {
            var run = await server.RunAsync("get", kind.Plural, "-o", "wide");
            Assert.Equal((0, ""), (run.ExitCode, run.Error));
            Assert.True(Cells(Lines(run)[0]).Length >= kind.Columns.Count(c => !c.IsWide), run.Output);
        }
    }

    [Fact]
    public async Task Get_Json_IsTheItems_AndOneByNameIsItself()
    {
        await using var server = LiveServer.WithMesh();
        var all = (await server.RunAsync("get", "endpoints", "-o", "json")).Json;
        Assert.Equal(("endpoints", 3), (all.GetProperty("kind").GetString(), all.GetProperty("items").GetArrayLength()));
        Assert.Equal("pod-2", (await server.RunAsync("get", "endpoint", "10.0.0.2:8000", "-o", "json")).Json.GetProperty("pod").GetString());
    }

    [Fact]
    public async Task Get_Yaml_ReadsBackAsTheSame()
    {
        await using var server = LiveServer.WithMesh();
        server.List("clusters", new { name = "true", labels = new { a = "1", b = "x y" }, pools = new[] { "p/q" }, none = Array.Empty<int>(), nested = new[] { new { deep = new[] { 1, 2 } } } });
        var run = await server.RunAsync("get", "clusters", "-o", "yaml");
        Assert.Equal(
            "kind: clusters\nitems:\n- name: \"true\"\n  labels:\n    a: \"1\"\n    b: \"x y\"\n  pools:\n  - p/q\n  none: []\n  nested:\n  - deep:\n    - 1\n    - 2\n", run.Output);
    }

    [Fact]
    public async Task Get_Name_IsForScripts()
    {
        await using var server = LiveServer.WithMesh();
        Assert.Equal("endpoint/10.0.0.1:8000\nendpoint/10.0.0.2:8000\nendpoint/10.1.0.1:8000\n", (await server.RunAsync("get", "ep", "-o", "name")).Output);
    }

    [Theory]
    [InlineData("-l cluster=west", "10.0.0.1:8000 10.0.0.2:8000")]
    [InlineData("-l cluster!=west", "10.1.0.1:8000")]
    [InlineData("-l cluster=west,state=ready", "10.0.0.1:8000")]
    [InlineData("-l address=10.0.*", "10.0.0.1:8000 10.0.0.2:8000")]
    [InlineData("--sort-by inFlightRequests", "10.1.0.1:8000 10.0.0.2:8000 10.0.0.1:8000")]
    [InlineData("--sort-by=-kvUtilizationRatio", "10.0.0.1:8000 10.1.0.1:8000 10.0.0.2:8000")]
    [InlineData("pod-3", "10.1.0.1:8000")]
    [InlineData("-n other", "")]
    public async Task Get_SelectedAndSorted(string options, string addresses)
    {
        await using var server = LiveServer.WithMesh();
        var run = await server.RunAsync(["get", "endpoints", "--no-headers", .. options.Split(' ')]);
        Assert.Equal(addresses, string.Join(' ', run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Split(' ')[0])));
        if (addresses.Length == 0) Assert.Equal("No endpoints in namespace other.\n", run.Error);
    }

    [Fact]
    public async Task Get_Pages_AreReadToTheEnd()
    {
        await using var server = new LiveServer();
        // The server gives the same page to every question; the tool asks until it has as many as there are.
        server.Pages["/api/v1/endpoints"] = JsonSerializer.Serialize(new { items = Enumerable.Range(0, 3).Select(i => new { address = $"10.0.0.{i}:8000" }), total = 6 });
        Assert.Equal(6, (await server.RunAsync("get", "endpoints", "-o", "name")).Output.Split('\n').Length - 1);
        Assert.Equal(["GET /api/v1/endpoints?limit=1000&offset=0", "GET /api/v1/endpoints?limit=1000&offset=3"], server.Asked);
    }

    [Theory]
    [InlineData("get endpoints pod-9", "There is no endpoint pod-9; did you mean pod-1?", "endpoints are 10.0.0.1:8000, 10.0.0.2:8000, 10.1.0.1:8000")]
    [InlineData("get endpoints -l stat=ready", "Option -l: no endpoint has a field stat; did you mean state?", "fields are address, pod")]
    [InlineData("get endpoints --sort-by kv", "Option --sort-by: no endpoint has a field kv", "fields are address")]
    public async Task Get_WrongName_SaysWhatThereIs(string arguments, string message, string next)
    {
        await using var server = LiveServer.WithMesh();
        var run = await server.RunAsync(arguments.Split(' '));
        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.StartsWith($"error: {message}", run.Error, StringComparison.Ordinal);
        Assert.Contains($"next: {next}", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("get endpoint5", "There is no kind endpoint5; did you mean endpoint? Kinds are pools, backends")]
    [InlineData("get pools -o jsn", "Option -o is jsn; it must be one of table, wide, json, yaml, name; did you mean json?")]
    [InlineData("get pools -l nonsense", "Option -l has nonsense; write field=value")]
    [InlineData("get pools --wtch", "mesh get has no option --wtch; did you mean --watch?")]
    [InlineData("get", "Required argument")]
    public async Task Get_BadCommandLine_IsAMistakeOfUsage(string arguments, string message)
    {
        var run = await ToolRun.OfAsync(arguments.Split(' '));
        Assert.Equal((2, ""), (run.ExitCode, run.Output));
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
        Assert.Contains("next: mesh get --help", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("401 Unauthorized", "missing_api_key", "You did not provide an API key.", "role reader into the environment: MESH_KEY")]
    [InlineData("401 Unauthorized", "invalid_api_key", "Incorrect API key provided.", "check the key in MESH_KEY")]
    [InlineData("403 Forbidden", "role_missing", "Key `a` has not the role reader.", "role reader")]
    [InlineData("403 Forbidden", "not_allowed", "The administrative API serves clients on the gateway's machine.", "Mesh:AdminAddress")]
    [InlineData("404 Not Found", "unknown_path", "Unknown path /api/v1/pools.", "administrative address")]
    [InlineData("500 Internal Server Error", "internal_error", "The gateway failed.", "gateway's log")]
    public async Task Get_Refused_SaysWhatToDo(string status, string code, string message, string next)
    {
        await using var server = new LiveServer { Refuse = (status, code, message) };
        var run = await server.RunAsync("get", "pools");
        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.Contains(code == "unknown_path" ? "has no page of pools" : message, run.Error, StringComparison.Ordinal);
        Assert.Contains(next, run.Error.Split('\n')[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Get_NobodyListens_SaysHowToNameTheGateway()
    {
        string url;
        await using (var server = new LiveServer()) url = server.Url;
        var run = await ToolRun.WithAsync(new Dictionary<string, string>(), ["get", "pools", "--server", url]);
        Assert.Equal(1, run.ExitCode);
        Assert.Contains($"error: {url}/ cannot be reached", run.Error, StringComparison.Ordinal);
        Assert.Contains("next: start the gateway, or name its administrative address: --server URL, MESH_SERVER, or mesh config set-context", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Get_Watch_ShowsWhatChangesAndWhatGoes()
    {
        await using var server = LiveServer.WithMesh();
        using var stop = new CancellationTokenSource();
        var watching = ToolRun.WithAsync(new Dictionary<string, string> { ["MESH_SERVER"] = server.Url }, ["get", "objectives", "-w"], stop.Token);
        await AskedAsync(1);
        server.List("objectives", new { @namespace = "default", name = "chat", priority = 10, pool = "default/llama", queuedRequests = 9 }, new { @namespace = "default", name = "batch", priority = -1, pool = "default/llama", queuedRequests = 0 });
        await AskedAsync(3);
        server.List("objectives", new { @namespace = "default", name = "batch", priority = -1, pool = "default/llama", queuedRequests = 0 });
        await AskedAsync(5);
        await stop.CancelAsync();
        var run = await watching.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Equal(
            ["NAMESPACE NAME PRIORITY POOL QUEUED", "default chat 10 default/llama 4", "default chat 10 default/llama 9", "default batch -1 default/llama 0", "default/chat gone"],
            Lines(run).Select(l => string.Join(' ', Cells(l))));

        async Task AskedAsync(int times)
        {
            for (var i = 0; i < 3000 && server.Asked.Count < times; i++) await Task.Delay(10);
            Assert.True(server.Asked.Count >= times);
        }
    }
}
