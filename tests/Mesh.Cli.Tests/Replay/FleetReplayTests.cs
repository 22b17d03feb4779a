using Mesh.Cli.Tests.Support;

namespace Mesh.Cli.Tests.Replay;

public sealed class FleetReplayTests
{
    private static readonly string[] Small = ["--trace", "sessions", "--minutes", "1", "--rate", "20"];

    private static string[] Quickstart(params string[] more) => ["replay", "--manifests", Manifests.Quickstart, "--fleet", Fleets.Quickstart, .. Small, .. more];

    [Fact]
    public async Task Replay_QuickstartFleet_ComparesPoliciesWithPickers()
    {
        var run = await ToolRun.OfAsync(Quickstart("--profile", "mesh,epp-default,core-round-robin"));
        Assert.Equal(0, run.ExitCode);
        var lines = run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.StartsWith("router", lines[0], StringComparison.Ordinal);
        foreach (var column in (string[])["within SLO", "TTFT ms p50", "TPOT ms p50", "e2e s p50", "refused", "prefix hits", "spread", "cross-region"]) Assert.Contains(column, lines[0], StringComparison.Ordinal);
        Assert.StartsWith("mesh ", lines[1], StringComparison.Ordinal);
        Assert.StartsWith("epp-default ", lines[2], StringComparison.Ordinal);
        Assert.StartsWith("core-round-robin ", lines[3], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Replay_SameSeed_SameBytes()
    {
        var first = await ToolRun.OfAsync(Quickstart("-o", "json", "--profile", "mesh,least-request"));
        var second = await ToolRun.OfAsync(Quickstart("-o", "json", "--profile", "mesh,least-request"));
        Assert.Equal(first.Output, second.Output);
        var mesh = first.Json[0];
        Assert.Equal("mesh", mesh.GetProperty("router").GetString());
        Assert.Equal(["europe-west3", "us-east4"], mesh.GetProperty("regions").EnumerateArray().Select(r => r.GetString()));
        var sent = mesh.GetProperty("flows").EnumerateArray().Sum(row => row.EnumerateArray().Sum(c => c.GetInt64()));
        Assert.Equal(mesh.GetProperty("requests").GetInt64() - mesh.GetProperty("refused").GetInt64(), sent);
        Assert.True(mesh.GetProperty("ttftMs").GetProperty("p99").GetDouble() >= mesh.GetProperty("ttftMs").GetProperty("p50").GetDouble());
    }

    [Fact]
    public async Task Replay_ShedPolicyAtTarget_RefusesByReason()
    {
        using var manifests = Manifests.CopyOf(Manifests.Quickstart);
        manifests.Edit("gke-west/backend-policy.yaml", "maxUtilizationPercent: 60", "maxUtilizationPercent: 1");
        manifests.Write(
            "gke-west/flow.yaml",
            """
            apiVersion: mesh.internal/v1alpha1
            kind: FlowControlPolicy
            metadata: {name: shed, namespace: default}
            spec:
              targetRef: {group: networking.gke.io, kind: GCPInferencePoolImport, name: vllm-llama3-8b-instruct}
              whenFull: Shed
            """);
        var run = await ToolRun.OfAsync("replay", "--manifests", manifests.Path, "--fleet", Fleets.Quickstart, "--trace", "sessions", "--minutes", "1", "--rate", "80", "-o", "json");
        Assert.True(run.ExitCode == 0, run.Error);
        var figures = run.Json[0];
        Assert.True(figures.GetProperty("refusedBy").GetProperty("saturated").GetInt32() > 0);
        Assert.True(figures.GetProperty("crossRegionShare").GetDouble() > 0);
    }

    [Fact]
    public async Task Replay_DrainedCluster_SendsEverythingToTheOther()
    {
        using var manifests = Manifests.CopyOf(Manifests.Quickstart);
        manifests.Edit("gke-west/backend-policy.yaml", "  default:\n", "  default:\n    scopes:\n      - selector: {gke.io/cluster-name: gke-west}\n        capacityScalerPercent: 0\n");
        var run = await ToolRun.OfAsync("replay", "--manifests", manifests.Path, "--fleet", Fleets.Quickstart, "--trace", "sessions", "--minutes", "1", "--rate", "5", "-o", "json");
        Assert.True(run.ExitCode == 0, run.Error);
        var flows = run.Json[0].GetProperty("flows");
        Assert.Equal((0, 0), (flows[0][0].GetInt32(), flows[1][0].GetInt32()));
        Assert.True(flows[0][1].GetInt32() > 0);
        // Nobody in Europe is answered before a round trip over the ocean.
        Assert.True(run.Json[0].GetProperty("ttftMs").GetProperty("p50").GetDouble() > 90);
    }

    [Fact]
    public async Task Replay_FleetWithoutManifests_HasNoPolicies()
    {
        // The quick start's clients name an objective, which only manifests have.
        var run = await ToolRun.OfAsync(["replay", "--fleet", Fleets.Quickstart, .. Small[..4], "--load", "0.5", "--saturation", "20"]);
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("warning: spec.clients[1].objective is food-review, which says nothing without manifests", run.Error, StringComparison.Ordinal);
        Assert.Contains("mesh", run.Output, StringComparison.Ordinal);
        using var folder = new TemporaryFolder();
        run = await ToolRun.OfAsync(["replay", "--fleet", Fleets.Edited(folder, "      objective: food-review\n", ""), .. Small[..4], "--load", "0.5", "--saturation", "20"]);
        Assert.Equal(0, run.ExitCode);
        Assert.DoesNotContain("objective", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Replay_PricedHardware_TellsWhatTokensCost()
    {
        using var folder = new TemporaryFolder();
        var half = Fleets.Edited(folder, "    - name: half\n", "    - name: half\n      pricePerHour: 1.5\n");
        var run = await ToolRun.OfAsync(["replay", "--manifests", Manifests.Quickstart, "--fleet", half, .. Small, "-o", "json"]);
        Assert.Contains("warning: Hardware h100 has no pricePerHour: no cost is told", run.Error, StringComparison.Ordinal);
        Assert.False(run.Json[0].TryGetProperty("costPerHour", out _));
        var both = folder.Write("both.yaml", File.ReadAllText(half).Replace("    - name: h100\n", "    - name: h100\n      pricePerHour: 4\n", StringComparison.Ordinal));
        run = await ToolRun.OfAsync(["replay", "--manifests", Manifests.Quickstart, "--fleet", both, .. Small, "-o", "json"]);
        var figures = run.Json[0];
        // Six of one kind and two of the other.
        Assert.Equal((6 * 4) + (2 * 1.5), figures.GetProperty("costPerHour").GetDouble());
        // All of them are within the SLO at this load.
        Assert.Equal(1, figures.GetProperty("goodputShare").GetDouble());
        var hours = figures.GetProperty("requests").GetInt32() / figures.GetProperty("offeredPerSecond").GetDouble() / 3600;
        Assert.Equal(27 * hours / figures.GetProperty("outputTokens").GetInt64() * 1e6, figures.GetProperty("costPerMillionGoodTokens").GetDouble(), 6);
        run = await ToolRun.OfAsync(["replay", "--manifests", Manifests.Quickstart, "--fleet", both, .. Small]);
        Assert.EndsWith("cost/1M good", run.Output.Split('\n')[0].TrimEnd(), StringComparison.Ordinal);
        run = await ToolRun.OfAsync(["plan", "--manifests", Manifests.Quickstart, "--fleet", both, .. Small, "--warm-up", "0s", "--seeds", "1", "--max", "2"]);
        Assert.Contains("  cost: 4.00 an hour\n", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Replay_SeveralFleets_StandInOneTable()
    {
        using var folder = new TemporaryFolder();
        var smaller = Fleets.Edited(folder, "count: 4", "count: 1");
        var run = await ToolRun.OfAsync(Quickstart("--fleet", smaller, "--profile", "mesh,random", "-o", "json"));
        Assert.True(run.ExitCode == 0, run.Error);
        Assert.Equal(
            [("mesh", Fleets.Quickstart), ("mesh", smaller), ("random", Fleets.Quickstart), ("random", smaller)],
            run.Json.EnumerateArray().Select(r => (r.GetProperty("router").GetString(), r.GetProperty("fleet").GetString())));
        // Beside another fleet a fleet's figures are what they are alone.
        var alone = await ToolRun.OfAsync(Quickstart("-o", "json"));
        Assert.Equal(alone.Json[0].GetProperty("ttftMs").GetRawText(), run.Json[0].GetProperty("ttftMs").GetRawText());
        Assert.False(alone.Json[0].TryGetProperty("fleet", out _));
        Assert.NotEqual(run.Json[0].GetProperty("ttftMs").GetRawText(), run.Json[1].GetProperty("ttftMs").GetRawText());
        var text = await ToolRun.OfAsync(Quickstart("--fleet", smaller));
        Assert.Matches("^router +load +fleet +offered/s", text.Output);
        foreach (var (options, message) in ((string[], string)[])
        [
            (["--fleet", Fleets.Quickstart], "--fleet names a file twice."), (["--fleet", smaller, "--load", "0.5"], "--load with several fleets needs --saturation"),
        ])
        {
            run = await ToolRun.OfAsync(["replay", "--manifests", Manifests.Quickstart, "--fleet", Fleets.Quickstart, .. Small[..4], .. options]);
            Assert.Equal((1, ""), (run.ExitCode, run.Output));
            Assert.Contains(message, run.Error, StringComparison.Ordinal);
        }

        run = await ToolRun.OfAsync("replay", "--diff", Manifests.Quickstart, Manifests.Quickstart, "--fleet", Fleets.Quickstart, "--fleet", smaller, "--trace", "sessions");
        Assert.Contains("--fleet: one file is expected here.", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Replay_UnknownRegions_AreToldOnce()
    {
        using var folder = new TemporaryFolder();
        var run = await ToolRun.OfAsync(["replay", "--fleet", Fleets.Edited(folder, "regions:", "region:"), .. Small]);
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("error: spec has no field region [unknown-field]", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("which is not among the regions", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--endpoints 3", "--endpoints has no effect with --fleet")]
    [InlineData("--regions 2", "--regions has no effect with --fleet")]
    [InlineData("--hardware 1", "--hardware has no effect with --fleet")]
    public async Task Replay_OptionsOfEqualEndpoints_AreRefusedWithAFleet(string options, string message)
    {
        var run = await ToolRun.OfAsync(Quickstart(options.Split(' ')));
        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Replay_PlotThatCannotBeWritten_IsToldBeforeTheFirstRun()
    {
        using var folder = new TemporaryFolder();
        foreach (var (path, message) in ((string, string)[])[(folder.Path, "is a directory; a file is expected."), (Path.Combine(folder.Path, "none", "out.html"), "there is no directory ")])
        {
            var run = await ToolRun.OfAsync(Quickstart("--plot", path));
            Assert.Equal((1, ""), (run.ExitCode, run.Output));
            Assert.StartsWith($"error: --plot {path}", run.Error, StringComparison.Ordinal);
            Assert.Contains(message, run.Error, StringComparison.Ordinal);
        }

        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public async Task Replay_Plot_WritesAPageThatAsksNobody()
    {
        using var folder = new TemporaryFolder();
        var page = Path.Combine(folder.Path, "out.html");
        var run = await ToolRun.OfAsync(Quickstart("--profile", "mesh,random", "--plot", page));
        Assert.Equal(0, run.ExitCode);
        Assert.Contains($"wrote {page}", run.Error, StringComparison.Ordinal);
        var html = await File.ReadAllTextAsync(page);
        Assert.Contains("\"name\":\"mesh at 20/s\"", html, StringComparison.Ordinal);
        Assert.Contains("\"name\":\"random at 20/s\"", html, StringComparison.Ordinal);
        Assert.Contains("\"region\":\"us-east4\"", html, StringComparison.Ordinal);
        Assert.DoesNotContain("\"RUNS\"", html, StringComparison.Ordinal);
        Assert.Equal(["http://www.w3.org/2000/svg"], System.Text.RegularExpressions.Regex.Matches(html, "https?://[^'\"]*").Select(m => m.Value).Distinct());
        Assert.DoesNotMatch("<(link|img|iframe|script src)", html);
    }

    [Theory]
    [InlineData("--slo-ttft soon", "--slo-ttft soon: a duration above 0 is expected")]
    [InlineData("--profile mesj", "did you mean mesh?")]
    [InlineData("--pool vllm-llama3-8b-instruc", "did you mean vllm-llama3-8b-instruct?")]
    [InlineData("--exit-code", "--exit-code has no effect without --diff: leave it out.")]
    [InlineData("--rate 0", "--rate 0: a number of requests per second above 0 is expected.")]
    public async Task Replay_BadOption_SaysWhatIsWrong(string options, string message)
    {
        var given = options.Split(' ');
        var run = await ToolRun.OfAsync(["replay", "--manifests", Manifests.Quickstart, "--fleet", Fleets.Quickstart, "--trace", "sessions", "--minutes", "1", .. given]);
        Assert.NotEqual(0, run.ExitCode);
        Assert.Equal("", run.Output);
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Replay_ManifestsWithoutFleet_SaysWhatIsMissing()
    {
        var run = await ToolRun.OfAsync("replay", "--manifests", Manifests.Quickstart, "--trace", "sessions");
        Assert.Equal(new ToolRun(1, "", "error: Policies need a fleet to act on: --fleet FILE says how many endpoints stand where.\nnext: mesh replay --help\n"), run);
    }
}
