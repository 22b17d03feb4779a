using Mesh.Cli.Tests.Support;

namespace Mesh.Cli.Tests.Commands;

public sealed class ReplayCommandTests
{
    private static readonly string[] Small = ["replay", "--trace", "sessions", "--minutes", "1", "--rate", "2", "--endpoints", "2"];

    [Fact]
    public async Task Replay_Sessions_ComparesRouters()
    {
        var run = await ToolRun.OfAsync([.. Small, "--profile", "mesh,random"]);
        Assert.Equal(0, run.ExitCode);
        var lines = run.Output.Split('\n');
        Assert.Contains(lines, l => l.Contains("mesh", StringComparison.Ordinal) && l.Contains("2/s", StringComparison.Ordinal));
        Assert.Contains(lines, l => l.Contains("random", StringComparison.Ordinal));
        Assert.Contains("random at 2/s: ", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Replay_SameSeed_GivesTheSameBytes()
    {
        var first = await ToolRun.OfAsync([.. Small, "-o", "json", "--seed", "9"]);
        var second = await ToolRun.OfAsync([.. Small, "-o", "json", "--seed", "9"]);
        Assert.Equal(first.Output, second.Output);
        Assert.NotEqual(System.Text.Json.JsonValueKind.Undefined, first.Json.ValueKind);
        var shares = await ToolRun.OfAsync("replay", "--trace", "sessions", "--minutes", "1", "--load", "0.5", "--saturation", "4", "--endpoints", "2", "-o", "table");
        Assert.Contains("0.5", shares.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Replay_SlowerHardware_TakesLonger()
    {
        var usual = await ToolRun.OfAsync([.. Small, "-o", "json"]);
        var mixed = await ToolRun.OfAsync([.. Small, "-o", "json", "--hardware", "1,3/2"]);
        Assert.True(E2e(mixed) > E2e(usual), $"{E2e(mixed)} and {E2e(usual)} ms");

        static double E2e(ToolRun run) => run.Json[0].GetProperty("e2eMs").GetProperty("mean").GetDouble();
    }

    [Fact]
    public async Task Replay_DocumentedHardware_IsPlayed()
    {
        var run = await ToolRun.OfAsync([.. Small, "--hardware", "1=3,2.5/1.8/12000=1", "-o", "json"]);
        Assert.True(run.ExitCode == 0, run.Error);
        run = await ToolRun.OfAsync([.. Small, "--num-gpu-blocks", "12000", "-o", "json"]);
        Assert.True(run.ExitCode == 0, run.Error);
    }

    [Fact]
    public async Task Replay_WarmUp_CountsOnlyWhatComesAfter()
    {
        var whole = await ToolRun.OfAsync("replay", "--trace", "sessions", "--minutes", "3", "--rate", "4", "-o", "json");
        var later = await ToolRun.OfAsync("replay", "--trace", "sessions", "--minutes", "1", "--warm-up", "2m", "--rate", "4", "-o", "json");
        var (all, counted) = (whole.Json[0], later.Json[0]);
        // The same chats are played; what they cost in events does not depend on what is counted.
        Assert.Equal(all.GetProperty("events").GetInt64(), counted.GetProperty("events").GetInt64());
        Assert.InRange(counted.GetProperty("requests").GetInt32(), 1, all.GetProperty("requests").GetInt32() - 100);
        Assert.True(counted.GetProperty("offeredPerSecond").GetDouble() > all.GetProperty("offeredPerSecond").GetDouble());
        Assert.Contains("requests/s came on average: generated chats begin with none live and take 10 min to reach their rate; --warm-up 10m", whole.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Replay_Csv_HasALineForEachRun()
    {
        var run = await ToolRun.OfAsync([.. Small, "--profile", "mesh,random", "-o", "csv"]);
        var json = await ToolRun.OfAsync([.. Small, "--profile", "mesh,random", "-o", "json"]);
        var lines = run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(3, lines.Length);
        var heads = lines[0].Split(',');
        Assert.All(lines, l => Assert.Equal(heads.Length, l.Split(',').Length));
        Assert.Equal(["mesh", "random"], lines[1..].Select(l => l.Split(',')[0]));
        var at = Array.IndexOf(heads, "ttftP90Ms");
        Assert.Equal(json.Json[1].GetProperty("ttftMs").GetProperty("p90").GetDouble(), double.Parse(lines[2].Split(',')[at], System.Globalization.CultureInfo.InvariantCulture));
    }

    [Fact]
    public async Task Replay_SeveralSeeds_GivesMeansWithTheirConfidence()
    {
        string[] args = [.. Small, "--profile", "mesh,random", "--seed", "5", "--seeds", "3"];
        var json = (await ToolRun.OfAsync([.. args, "-o", "json"])).Json;
        Assert.Equal([5, 6, 7, 5, 6, 7], json.EnumerateArray().Select(r => r.GetProperty("seed").GetInt32()));
        // A seed's run is the same whether or not others are played beside it.
        var alone = (await ToolRun.OfAsync([.. Small, "--profile", "mesh", "--seed", "6", "-o", "json"])).Json;
        Assert.Equal(alone[0].GetRawText(), json[1].GetRawText());
        double[] p90 = [.. json.EnumerateArray().Take(3).Select(r => r.GetProperty("ttftMs").GetProperty("p90").GetDouble())];
        var mean = p90.Average();
        var halfWidth = 4.303 * Math.Sqrt(p90.Sum(v => (v - mean) * (v - mean)) / 2 / 3);
        var text = await ToolRun.OfAsync(args);
        var lines = text.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(5, lines.Length);
        Assert.StartsWith("mesh at 2/s, 3 seeds, mean ± 95%: goodput/s ", lines[3], StringComparison.Ordinal);
        Assert.Contains(System.FormattableString.Invariant($", p90 {mean:0} ± {halfWidth:0}, "), lines[3], StringComparison.Ordinal);
        Assert.StartsWith("random at 2/s, 3 seeds, ", lines[4], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Replay_NarrowScreen_PutsRunsSideBySide()
    {
        var output = new StringWriter();
        var console = new Mesh.Cli.Output.ToolConsole(output, new StringWriter()) { Width = () => 40 };
        Assert.Equal(0, await MeshTool.RunAsync([.. Small, "--profile", "mesh,random,least-request,session"], console, CancellationToken.None));
        var lines = output.ToString().Split('\n');
        Assert.All(lines, l => Assert.InRange(l.Length, 0, 40));
        Assert.Matches("^router +mesh +random *$", lines[0]);
        Assert.Contains(lines, l => l.StartsWith("TTFT ms p90 ", StringComparison.Ordinal));
        Assert.Contains(lines, l => l.StartsWith("router ", StringComparison.Ordinal) && l.TrimEnd().EndsWith("session", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Replay_Interrupted_TellsWhatHadEnded()
    {
        using var stop = new CancellationTokenSource();
        var output = new StringWriter();
        using var error = new StoppingWriter("mesh at 2/s: ", stop);
        var code = await MeshTool.RunAsync([.. Small, "--profile", "mesh,random,session", "-o", "csv"], new Mesh.Cli.Output.ToolConsole(output, error), stop.Token);
        Assert.Equal(1, code);
        Assert.Equal(2, output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Contains("error: interrupted: 1 of 3 runs had ended, and the answer is theirs\n", error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "has no rows", "no rows.", "mesh replay --help")]
    [InlineData("{\"timestamp\":0,\"input_length\":5,\"output_length\":1,\"hash_ids\":[1]}\n", "one row", "A trace needs two rows at least to have a rate; this one has 1.", "mesh replay --help")]
    [InlineData("{\"timestamp\":0,\"input_length\":5,\"output_length\":1,\"hash_ids\":[1]}\n{\"timestamp\": 5, bro\n", "a broken line", ".jsonl:2: not JSON at byte 18: 'b' is an invalid start of a property name. Expected a '\"'.\n", "correct line 2, or leave it out with --skip and --rows")]
    public async Task Replay_BadTrace_SaysWhere(string text, string what, string message, string next)
    {
        using var folder = new TemporaryFolder();
        var run = await ToolRun.OfAsync("replay", "--trace", folder.Write("t.jsonl", text));
        Assert.True((1, "") == (run.ExitCode, run.Output), what);
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
        Assert.EndsWith($"next: {next}\n", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("missing.jsonl", "--trace missing.jsonl: there is no such file.", "check the path; it counts from this directory")]
    [InlineData(".", "--trace . is a directory; a file is expected.", "mesh replay --help")]
    public async Task Replay_NoTrace_SaysSo(string path, string message, string next)
    {
        var run = await ToolRun.OfAsync("replay", "--trace", path);
        Assert.Equal(new ToolRun(1, "", $"error: {message}\nnext: {next}\n"), run);
    }

    [Theory]
    [InlineData("replay --trace sessions --profile fastest", 1, "No router is named fastest; there are ")]
    [InlineData("replay --trace sessions --minutes 1e300", 1, "--minutes 1E+300: 0.016667–5040 is expected.")]
    [InlineData("replay --trace sessions --minutes NaN", 1, "--minutes NaN: 0.016667–5040 is expected.")]
    [InlineData("replay --trace sessions --rate -5", 1, "--rate -5: a number of requests per second above 0 is expected.")]
    [InlineData("replay --trace sessions --endpoints 0", 1, "--endpoints 0: 1–1000000 is expected.")]
    [InlineData("replay --trace sessions --block-size 10", 1, "--block-size 10: a divisor of 512 is expected, such as 16.")]
    [InlineData("replay --trace sessions --system-prompt-tokens 200000", 1, "--system-prompt-tokens 200000: 0–130048 is expected.")]
    [InlineData("replay --trace sessions --turns 0", 1, "--turns 0: 1–1000 is expected.")]
    [InlineData("replay --trace sessions --skip 10", 1, "--skip has no effect on generated chats: leave it out.")]
    [InlineData("replay --trace sessions --pool x", 1, "--pool has no effect without --manifests: leave it out.")]
    [InlineData("replay --trace sessions --saturation 5", 1, "--saturation has no effect without --load: leave it out.")]
    [InlineData("replay --trace sessions --load 0.5 --saturation -5", 1, "--saturation -5: a number of requests per second above 0 is expected.")]
    [InlineData("replay --trace sessions --warm-up long", 1, "--warm-up long: a duration of 0 to 7 days is expected, such as 10m.")]
    [InlineData("replay --trace sessions --minutes 1 --rate 1 --rows 5 --warm-up 1h", 1, "No request came after the warm-up of 3600 s")]
    [InlineData("replay --trace sessions --seed -1", 2, "--seed -1: a whole number of 0 or more is expected.")]
    [InlineData("replay --trace sessions --rate fast", 2, "--rate fast: a number is expected.")]
    [InlineData("replay --trace sessions --rate 1 --load 0.5", 1, "--rate and --load exclude each other.")]
    [InlineData("replay --trace sessions --hardware fast", 1, "--hardware: 'fast': expected prefill-ratio")]
    [InlineData("replay", 2, "Option '--trace' is required.")]
    [InlineData("replay --trace sessions -o yaml", 2, "yaml is none of text, table, json, csv.")]
    public async Task Replay_BadInput_SaysWhatIsWrong(string arguments, int exitCode, string message)
    {
        var run = await ToolRun.OfAsync(arguments.Split(' '));
        Assert.Equal((exitCode, ""), (run.ExitCode, run.Output));
        Assert.StartsWith("error: ", run.Error, StringComparison.Ordinal);
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
        Assert.EndsWith("next: mesh replay --help\n", run.Error, StringComparison.Ordinal);
    }

    // Stops the work once a text has been written.
    private sealed class StoppingWriter(string text, CancellationTokenSource stop) : StringWriter
    {
        public override void WriteLine(string? value)
        {
            base.WriteLine(value);
            if (value?.StartsWith(text, StringComparison.Ordinal) == true) stop.Cancel();
        }
    }
}
