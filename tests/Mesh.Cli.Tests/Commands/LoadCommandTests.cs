using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Mesh.Cli.Output;
using Mesh.Cli.Tests.Support;
using Mesh.Simulation.Server;

namespace Mesh.Cli.Tests.Commands;

public sealed class LoadCommandTests
{
    private const int SigInt = 2;

    private static readonly string Answer = ScriptedServer.Whole("""{"choices":[{"text":"a"}],"usage":{"prompt_tokens":5,"completion_tokens":3}}""");

    [Theory]
    [InlineData("completions")]
    [InlineData("chat")]
    public async Task Load_SimulatedServer_ReportsEveryFigure(string api)
    {
        await using var server = await Simulated();
        var run = await ToolRun.OfAsync(
            "load", server.Address, "--rate", "100", "--requests", "30", "--prompt-tokens", "1200", "--output-tokens", "20", "--prefixes", "1", "--prefix-tokens", "1000",
            "--api", api, "--slo-ttft", "1m", "--slo-tpot", "10s", "-o", "json");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        var report = run.Json;
        Assert.Equal((30, 30, 0), (Int(report, "requests", "planned"), Int(report, "requests", "answered"), Int(report, "requests", "failed")));
        Assert.Equal(600, Int(report, "tokens", "output"));
        Assert.InRange(Int(report, "tokens", "prompt"), 30 * 1200, 30 * 1300);
        // All but the first find the shared prefix.
        Assert.InRange(Int(report, "tokens", "cached"), 20 * 900, 30 * 1008);
        Assert.Equal(1, report.GetProperty("goodput").GetProperty("share").GetDouble());
        Assert.Equal("llama", report.GetProperty("model").GetString());
        foreach (var name in new[] { "ttft", "tpot", "endToEnd", "generatorLateness" })
        {
            var distribution = report.GetProperty(name);
            Assert.Equal(30, distribution.GetProperty("count").GetInt32());
            Assert.Equal(30, distribution.GetProperty("histogram").EnumerateArray().Sum(b => b[2].GetDouble()));
            double[] rising = [.. new[] { "min", "p50", "p90", "p99", "p999", "max" }.Select(n => distribution.GetProperty(n).GetDouble())];
            Assert.Equal(rising.Order(), rising);
        }

        Assert.True(Ms(report, "endToEnd", "min") >= Ms(report, "ttft", "min"));
    }

    [Fact]
    public async Task Load_Text_ShowsTheTable()
    {
        await using var server = new ScriptedServer(exchange => exchange.WriteAsync(ScriptedServer.Whole(
            """{"usage":{"prompt_tokens":5,"completion_tokens":3,"prompt_tokens_details":{"cached_tokens":4}}}""", headers: "x-gateway-destination-endpoint-served: 10.0.0.1:8000\r\n")));
        var run = await ToolRun.OfAsync("load", server.Url, "--rate", "200", "--requests", "10", "--no-stream", "--model", "m", "--seed", "7");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        var lines = run.Output.Split('\n');
        Assert.StartsWith($"{server.Url}/v1/completions: ", lines[0], StringComparison.Ordinal);
        Assert.EndsWith(" s, seed 7", lines[0], StringComparison.Ordinal);
        Assert.StartsWith("  requests     10 planned at 200/s, 10 answered, 0 failed; ", lines[1], StringComparison.Ordinal);
        Assert.Equal("  tokens       50 prompt of which 40 cached (80.0%), 30 output", lines[3]);
        Assert.StartsWith("  goodput      100.0%, ", lines[4], StringComparison.Ordinal);
        Assert.EndsWith(" within no bound", lines[4], StringComparison.Ordinal);
        Assert.Equal(["p50", "p90", "p99", "max", "mean"], lines[6].Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(["TTFT", "-", "-", "-", "-", "-"], lines[7].Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains("  end to end", run.Output, StringComparison.Ordinal);
        Assert.Contains("  sent late by", run.Output, StringComparison.Ordinal);
        Assert.Contains("endpoints\n  10   100.0%   10.0.0.1:8000\n", run.Output, StringComparison.Ordinal);
    }

    /// <summary>Ten requests planned within 0.1 s to a server that answers one after the other, 0.1 s each: a closed loop would see 0.1 s for all of them.</summary>
    [Fact]
    public async Task Load_SlowServer_CountsEachDelayFromThePlannedArrival()
    {
        using var one = new SemaphoreSlim(1);
        await using var server = new ScriptedServer(async exchange =>
        {
            await one.WaitAsync(exchange.End);
            await Task.Delay(100, exchange.End);
            one.Release();
            await exchange.WriteAsync(Answer);
        });
        var run = await ToolRun.OfAsync(
            "load", server.Url, "--rate", "100", "--requests", "10", "--arrivals", "uniform", "--no-stream", "--model", "m", "--slo-e2e", "450ms", "-o", "json");
        Assert.Equal(0, run.ExitCode);
        Assert.True(Ms(run.Json, "endToEnd", "min") >= 95, "one answer takes 100 ms");
        // The last is planned at 90 ms and answered at 1,000 ms or later.
        Assert.True(Ms(run.Json, "endToEnd", "max") >= 850, run.Output);
        Assert.InRange(Int(run.Json, "goodput", "good"), 0, 5);
    }

    [Fact]
    public async Task Load_OneConnection_CountsTheWaitForIt()
    {
        await using var server = new ScriptedServer(async exchange =>
        {
            await Task.Delay(50, exchange.End);
            await exchange.WriteAsync(Answer);
        });
        var run = await ToolRun.OfAsync("load", server.Url, "--rate", "1000", "--requests", "10", "--connections", "1", "--no-stream", "--model", "m", "-o", "json");
        Assert.True(Ms(run.Json, "endToEnd", "max") >= 400, run.Output);
        Assert.Contains(run.Json.GetProperty("warnings").EnumerateArray(), w => w.GetString()!.StartsWith("--connections 1 were all in use", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("429", "status", "429 rate_limit_exceeded")]
    [InlineData("502", "status", "502")]
    [InlineData("cut", "cut", null)]
    [InlineData("reset", "brokenStream", "reset")]
    [InlineData("short", "brokenStream", "ended early")]
    [InlineData("event", "streamError", "endpoint_gone")]
    [InlineData("garbage", "malformed", "not an HTTP answer")]
    [InlineData("silence", "timeout", "before the answer began")]
    [InlineData("stall", "timeout", "in the middle of the answer")]
    [InlineData("closed", "broken", "ended before the answer")]
    public async Task Load_Fault_IsCountedAsWhatItIs(string fault, string kind, string? detail)
    {
        await using var server = new ScriptedServer(exchange => FailAsync(exchange, fault));
        var run = await ToolRun.OfAsync("load", server.Url, "--rate", "100", "--requests", "3", "--model", "m", "--timeout", fault is "silence" or "stall" ? "200ms" : "60s", "-o", "json");
        Assert.Equal(1, run.ExitCode);
        Assert.StartsWith("error: no request was answered\n", run.Error, StringComparison.Ordinal);
        var error = Assert.Single(run.Json.GetProperty("errors").EnumerateArray());
        Assert.Equal((kind, detail, 3), (error.GetProperty("kind").GetString(), error.TryGetProperty("detail", out var d) ? d.GetString() : null, error.GetProperty("count").GetInt32()));
        Assert.Equal(0, Int(run.Json, "goodput", "good"));
    }

    [Fact]
    public async Task Load_NobodyListens_IsAConnectError()
    {
        string url;
        await using (var server = ScriptedServer.Answering(Answer)) url = server.Url;
        var run = await ToolRun.OfAsync("load", url, "--rate", "100", "--requests", "3", "--model", "m");
        Assert.Equal((1, "error: no request was answered\nnext: the first of the errors: connect refused\n"), (run.ExitCode, run.Error));
        Assert.Contains("errors\n  3   connect: refused\n", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Load_NobodyListensAndNoModel_SaysSoBeforeTheRun()
    {
        string url;
        await using (var server = ScriptedServer.Answering(Answer)) url = server.Url;
        var run = await ToolRun.OfAsync("load", url, "--rate", "100");
        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.StartsWith($"error: {url}/v1/models cannot be reached: Connection refused", run.Error, StringComparison.Ordinal);
        Assert.EndsWith("next: check the URL and the key, or name a model with --model\n", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Load_SomeRequestsFail_ExitCodeFollowsWhatIsDemanded()
    {
        var number = 0;
        await using var server = new ScriptedServer(exchange => exchange.WriteAsync(Interlocked.Increment(ref number) % 2 == 0 ? Answer : ScriptedServer.Whole("{}", "500 Oops")));
        string[] arguments = ["load", server.Url, "--rate", "500", "--requests", "10", "--no-stream", "--model", "m"];
        Assert.Equal(0, (await ToolRun.OfAsync(arguments)).ExitCode);
        Assert.Equal(0, (await ToolRun.OfAsync([.. arguments, "--fail-below-goodput", "0.5"])).ExitCode);
        var errors = await ToolRun.OfAsync([.. arguments, "--fail-on-errors"]);
        Assert.Equal((1, "error: 5 requests failed, and --fail-on-errors allows none\nnext: see the errors above\n"), (errors.ExitCode, errors.Error));
        var goodput = await ToolRun.OfAsync([.. arguments, "--fail-below-goodput", "0.51"]);
        Assert.Equal(1, goodput.ExitCode);
        Assert.StartsWith("error: goodput is 0.5000, below --fail-below-goodput 0.51\n", goodput.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Load_MoreInFlightThanAllowed_IsNotSentAndReported()
    {
        await using var server = new ScriptedServer(async exchange =>
        {
            await Task.Delay(1000, exchange.End);
            await exchange.WriteAsync(Answer);
        });
        var run = await ToolRun.OfAsync("load", server.Url, "--rate", "1000", "--requests", "20", "--max-in-flight", "5", "--no-stream", "--model", "m");
        Assert.Contains("requests     20 planned at 1000/s, 5 answered, 15 failed; 5 in flight at most", run.Output, StringComparison.Ordinal);
        Assert.Contains("  15   not sent: --max-in-flight\n", run.Output, StringComparison.Ordinal);
        Assert.Contains("warning: --max-in-flight 5 was reached", run.Output, StringComparison.Ordinal);
        Assert.Equal(5, server.Requests.Count);
    }

    [Fact]
    public async Task Load_SameSeed_SendsTheSameRequests()
    {
        async Task<string[]> Bodies(string seed)
        {
            await using var server = ScriptedServer.Answering(Answer);
            await ToolRun.OfAsync("load", server.Url, "--rate", "500", "--requests", "20", "--prefixes", "3", "--prefix-tokens", "20", "--prompt-tokens", "30..60", "--model", "m", "--seed", seed);
            return [.. server.Requests.Select(r => r.Body).Order(StringComparer.Ordinal)];
        }

        var first = await Bodies("5");
        Assert.Equal(20, first.Distinct().Count());
        Assert.Equal(first, await Bodies("5"));
        Assert.NotEqual(first, await Bodies("6"));
        Assert.InRange(first.Select(b => string.Join(' ', Prompt(b).Split(' ').Take(20))).Distinct().Count(), 1, 3);
    }

    [Fact]
    public async Task Load_Trace_SharesTextWhereItSharesBlocks()
    {
        using var folder = new TemporaryFolder();
        var trace = folder.Write("t.jsonl",
            """
            {"timestamp": 0, "input_length": 1100, "output_length": 7, "hash_ids": [1, 2, 3]}
            {"timestamp": 1000, "input_length": 1030, "output_length": 8, "hash_ids": [1, 2, 4]}
            {"timestamp": 2000, "input_length": 600, "output_length": 9, "hash_ids": [5, 6]}
            """);
        await using var server = ScriptedServer.Answering(Answer);
        var run = await ToolRun.OfAsync("load", server.Url, "--trace", trace, "--rate-scale", "20", "--no-stream", "--model", "m", "-o", "json");
        Assert.Equal(3, Int(run.Json, "requests", "answered"));
        var prompts = server.Requests.Select(r => Prompt(r.Body).Split(' ', StringSplitOptions.RemoveEmptyEntries)).OrderByDescending(p => p.Length).ToList();
        Assert.Equal([1100, 1030, 600], prompts.Select(p => p.Length));
        Assert.Equal(prompts[0].Take(1024), prompts[1].Take(1024));
        Assert.NotEqual(prompts[0].Skip(1024).Take(6), prompts[1].Skip(1024));
        Assert.NotEqual(prompts[0].Take(512), prompts[2].Take(512));
        Assert.Equal([7, 8, 9], server.Requests.Select(r => JsonDocument.Parse(r.Body).RootElement.GetProperty("max_tokens").GetInt32()).Order());
    }

    [Fact]
    public async Task Load_Slice_SendsThatPartAlone()
    {
        using var folder = new TemporaryFolder();
        var trace = folder.Write("t.csv", "TIMESTAMP,ContextTokens,GeneratedTokens\n" + string.Concat(Enumerable.Range(0, 50).Select(
            i => string.Create(CultureInfo.InvariantCulture, $"2023-11-16 18:15:{i:00},{10 + i},{1 + i}\n"))));
        await using var server = ScriptedServer.Answering(Answer);
        string[] arguments = ["load", server.Url, "--trace", trace, "--rate", "500", "--no-stream", "--model", "m", "--slice"];
        await ToolRun.OfAsync([.. arguments, "10..20"]);
        Assert.Equal(Enumerable.Range(20, 10), server.Requests.Select(r => Prompt(r.Body).Split(' ').Length - 1).Order());
        server.Requests.Clear();
        await ToolRun.OfAsync([.. arguments, "30s.."]);
        Assert.Equal(Enumerable.Range(40, 20), server.Requests.Select(r => Prompt(r.Body).Split(' ').Length - 1).Order());
    }

    [Fact]
    public async Task Load_Sessions_RepeatWhatWasSaidBefore()
    {
        await using var server = ScriptedServer.Answering(Answer);
        await ToolRun.OfAsync(
            "load", server.Url, "--rate", "100", "--requests", "40", "--turns", "8", "--think-time", "50ms", "--prompt-tokens", "exp:1000", "--output-tokens", "exp:500", "--no-stream", "--model", "m");
        Assert.Equal(40, server.Requests.Count);
        var prompts = server.Requests.Select(r => Prompt(r.Body)).OrderBy(p => p.Length).ToList();
        var repeated = prompts.Where((p, i) => p.Length > 3000 && prompts.Take(i).Any(q => q.Length > 3000 && p.StartsWith(q[..2500], StringComparison.Ordinal)));
        Assert.True(repeated.Count() > 5);
    }

    [Fact]
    public async Task Load_KeyHeadersAndObjective_AreSent()
    {
        await using var server = ScriptedServer.Answering(Answer);
        await ToolRun.OfAsync(
            "load", server.Url + "/v1/chat/completions", "--rate", "100", "--requests", "1", "--no-stream", "--no-ignore-eos", "--priority", "-3", "--model", "a\"b", "--api", "chat",
            "--api-key", "secret", "--header", "x-one: 1", "--header", "X-Two:two words", "--objective", "batch", "--output-tokens", "9", "--prompt-tokens", "2");
        var (head, body) = Assert.Single(server.Requests);
        Assert.StartsWith("POST /v1/chat/completions HTTP/1.1\r\n", head, StringComparison.Ordinal);
        foreach (var line in new[] { "Authorization: Bearer secret", "x-one: 1", "X-Two: two words", "x-gateway-inference-objective: batch", "Content-Type: application/json" })
            Assert.Contains("\r\n" + line, head, StringComparison.OrdinalIgnoreCase);
        var json = JsonDocument.Parse(body).RootElement;
        Assert.Equal(["model", "messages", "max_tokens", "priority", "temperature"], json.EnumerateObject().Select(p => p.Name));
        Assert.Equal(("a\"b", 9, -3), (json.GetProperty("model").GetString(), json.GetProperty("max_tokens").GetInt32(), json.GetProperty("priority").GetInt32()));
    }

    [Fact]
    public async Task Load_WarmUp_IsSentAndNotCounted()
    {
        await using var server = ScriptedServer.Answering(Answer);
        var run = await ToolRun.OfAsync("load", server.Url, "--rate", "100", "--requests", "20", "--arrivals", "uniform", "--warm-up", "95ms", "--no-stream", "--model", "m", "-o", "json");
        Assert.Equal((10, 10, 20), (Int(run.Json, "requests", "answered"), Int(run.Json, "requests", "warmUp"), server.Requests.Count));
    }

    [Fact]
    public async Task Load_EndedInTheMiddle_PrintsTheResultsSoFar()
    {
        using var end = new CancellationTokenSource();
        var number = 0;
        await using var server = new ScriptedServer(async exchange =>
        {
            if (Interlocked.Increment(ref number) > 5)
            {
                if (number >= 8) await end.CancelAsync();
                await exchange.Forever();
            }

            await exchange.WriteAsync(Answer);
        });
        var output = new StringWriter();
        var code = await MeshTool.RunAsync(
            ["load", server.Url, "--rate", "100", "--duration", "1h", "--no-stream", "--model", "m", "-o", "json"], new ToolConsole(output, TextWriter.Null), end.Token);
        var report = JsonDocument.Parse(output.ToString()).RootElement;
        Assert.Equal((0, true, 5, 0), (code, report.GetProperty("interrupted").GetBoolean(), Int(report, "requests", "answered"), Int(report, "requests", "failed")));
        Assert.True(Int(report, "requests", "interrupted") >= 3);
    }

    [Fact]
    public async Task Load_CtrlC_EndsTheProcessWithTheResultsSoFar()
    {
        if (!OperatingSystem.IsLinux()) return;
        var number = 0;
        await using var server = new ScriptedServer(exchange => Interlocked.Increment(ref number) <= 5 ? exchange.WriteAsync(Answer) : exchange.Forever());
        // A test run in the background of a shell ignores the signal, and its children would too.
        using var process = Process.Start(new ProcessStartInfo(
            "env", ["--default-signal=INT", "dotnet", Path.Combine(AppContext.BaseDirectory, "mesh.dll"), "load", server.Url, "--rate", "100", "--duration", "1h", "--no-stream", "--model", "m", "-o", "json"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        try
        {
            using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(2));
            while (server.Requests.Count < 10) await Task.Delay(20, deadline.Token);
            Assert.Equal(0, Kill(process.Id, SigInt));
            await process.WaitForExitAsync(deadline.Token);
        }
        finally
        {
            if (!process.HasExited) process.Kill();
        }

        Assert.Equal(("", 0), (await error, process.ExitCode));
        var report = JsonDocument.Parse(await output).RootElement;
        Assert.Equal((true, 5), (report.GetProperty("interrupted").GetBoolean(), Int(report, "requests", "answered")));
        Assert.True(Int(report, "requests", "interrupted") >= 5);
    }

    [Theory]
    [InlineData("load ftp://x --rate 1", "URL ftp://x: an address such as http://127.0.0.1:8080 is expected.")]
    [InlineData("load --rate 1", "Required argument 'URL' missing for command: 'load'.")]
    [InlineData("load x", "--rate is missing: how many requests per second are to be sent; or --trace.")]
    [InlineData("load x --rate 0", "--rate is 0; a number, 0.000001 to 1000000 is expected.")]
    [InlineData("load x --rate 1 --duration soon", "--duration is soon; a time such as 500ms, 30s or 10m is expected.")]
    [InlineData("load x --rate 1 --arrivals daily", "--arrivals is daily; it must be one of poisson, uniform, bursty.")]
    [InlineData("load x --rate 1 --prompt-tokens 9..3", "--prompt-tokens is 9..3; tokens such as 512, 100..800 or exp:400 is expected.")]
    [InlineData("load x --rate 1 --header Name", "--header Name: a name, a colon and a value are expected.")]
    [InlineData("load x --rate 1 --stream --no-stream", "--stream and --no-stream exclude each other.")]
    [InlineData("load x --trace t.csv --turns 3", "--turns is for requests that are made up; --trace brings its own.")]
    [InlineData("load x --rate 1 --turns 3 --prompt-tokens 100", "--turns makes up sessions of exponential lengths: --prompt-tokens and --output-tokens must be exp:MEAN.")]
    [InlineData("load x --rate 1 --fail-below-goodput 2", "--fail-below-goodput is 2; a share, 0 to 1, is expected.")]
    [InlineData("load x --rate 1 --slice 3..9", "--slice is a part of a --trace, and there is none.")]
    public async Task Load_BadCommandLine_IsAUsageError(string arguments, string message)
    {
        var run = await ToolRun.OfAsync(arguments.Split(' '));
        Assert.Equal(new ToolRun(2, "", $"error: {message}\nnext: mesh load --help\n"), run);
    }

    [Theory]
    [InlineData("missing.jsonl", null, "Could not find file")]
    [InlineData("t.jsonl", "{\"timestamp\": 1}\n", "t.jsonl:1: input_length is missing.")]
    [InlineData("t.txt", "x", "traces end in .jsonl (Mooncake) or .csv (Azure), not in '.txt'.")]
    [InlineData("t.csv", "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:00,1,1\n", "A trace needs two rows at least to have a rate; this one has 1.")]
    public async Task Load_TraceThatCannotBeRead_SaysWhatIsWrong(string name, string? text, string message)
    {
        using var folder = new TemporaryFolder();
        var path = text is null ? Path.Combine(folder.Path, name) : folder.Write(name, text);
        var run = await ToolRun.OfAsync("load", "127.0.0.1:1", "--trace", path);
        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.StartsWith("error: ", run.Error, StringComparison.Ordinal);
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
        Assert.EndsWith("next: give --trace a Mooncake JSONL or an Azure CSV file of at least two rows\n", run.Error, StringComparison.Ordinal);
    }

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int process, int signal);

    private static async Task FailAsync(ScriptedServer.Exchange exchange, string fault)
    {
        switch (fault)
        {
            case "429":
                await exchange.WriteAsync(ScriptedServer.Whole("""{"error":{"message":"slow down","type":"requests","code":"rate_limit_exceeded"}}""", "429 Too Many Requests"));
                return;
            case "502":
                await exchange.WriteAsync(ScriptedServer.Whole("<html>bad gateway</html>", "502 Bad Gateway"));
                return;
            case "cut":
                await exchange.WriteAsync(ScriptedServer.StreamHead + ScriptedServer.Chunk);
                break;
            case "reset":
                await exchange.WriteAsync(ScriptedServer.StreamHead + ScriptedServer.Chunk);
                await Task.Delay(200, exchange.End);
                exchange.Reset();
                return;
            case "short":
                await exchange.WriteAsync("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 1000\r\n\r\n" + ScriptedServer.Chunk);
                break;
            case "event":
                await exchange.WriteAsync(ScriptedServer.StreamHead + ScriptedServer.Chunk + "event: error\ndata: {\"error\":{\"message\":\"gone\",\"code\":\"endpoint_gone\"}}\n\n");
                break;
            case "garbage":
                await exchange.WriteAsync("this is not HTTP\r\n\r\n");
                break;
            case "silence":
                await exchange.Forever();
                break;
            case "stall":
                await exchange.WriteAsync(ScriptedServer.StreamHead + ScriptedServer.Chunk);
                await exchange.Forever();
                break;
        }

        exchange.Close();
    }

    private static string Prompt(string body) => JsonDocument.Parse(body).RootElement.GetProperty("prompt").GetString()!;

    private static int Int(JsonElement report, string part, string name) => report.GetProperty(part).GetProperty(name).GetInt32();

    private static double Ms(JsonElement report, string part, string name) => report.GetProperty(part).GetProperty(name).GetDouble();

    private static Task<SimulatedVllmServer> Simulated() =>
        SimulatedVllmServer.StartAsync(new SimulatedVllmOptions { Models = [new SimulatedModel("llama")], Speed = 20 }, CancellationToken.None);
}
