using Mesh.Cli.Tests.Support;

namespace Mesh.Cli.Tests.Replay;

public sealed class ReplayDiffTests
{
    private static readonly string[] Load = ["--trace", "sessions", "--minutes", "1", "--rate", "60"];

    private static Task<ToolRun> DiffAsync(string old, string now, params string[] more) =>
        ToolRun.OfAsync(["replay", "--diff", old, now, "--fleet", Fleets.Quickstart, .. Load, .. more]);

    [Fact]
    public async Task Diff_LowerTarget_ShowsConfigurationFiguresAndFlows()
    {
        using var edited = Manifests.CopyOf(Manifests.Quickstart);
        edited.Edit("gke-west/backend-policy.yaml", "maxUtilizationPercent: 60", "maxUtilizationPercent: 1");
        var run = await DiffAsync(Manifests.Quickstart, edited.Path);
        Assert.True(run.ExitCode == 0, run.Error);
        Assert.StartsWith("pool default/vllm-llama3-8b-instruct\n", run.Output, StringComparison.Ordinal);
        Assert.Contains("customMetrics.kv-cache:       60% → 1%", run.Output, StringComparison.Ordinal);
        Assert.Contains("mesh at 60/s", run.Output, StringComparison.Ordinal);
        Assert.Contains("cross-region %", run.Output, StringComparison.Ordinal);
        Assert.Contains("Requests between regions that change\n", run.Output, StringComparison.Ordinal);
        Assert.Contains("europe-west3 → us-east4:", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Diff_SamePolicies_DiffersInNothing()
    {
        using var same = Manifests.CopyOf(Manifests.Quickstart);
        var run = await DiffAsync(Manifests.Quickstart, same.Path, "--exit-code");
        Assert.Equal(0, run.ExitCode);
        Assert.StartsWith("Nothing changes in effect.\n", run.Output, StringComparison.Ordinal);
        Assert.EndsWith("No figure differs.\n", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("+", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Diff_ExitCode_TellsDifferenceFromError()
    {
        using var edited = Manifests.CopyOf(Manifests.Quickstart);
        edited.Edit("gke-west/backend-policy.yaml", "maxUtilizationPercent: 60", "maxUtilizationPercent: 1");
        var run = await DiffAsync(Manifests.Quickstart, edited.Path, "--exit-code", "-o", "json");
        Assert.Equal(1, run.ExitCode);
        Assert.True(run.Json.GetProperty("differs").GetBoolean());
        Assert.Equal(4, run.Json.GetProperty("changes").GetArrayLength());
        Assert.True(run.Json.GetProperty("runs")[0].GetProperty("changedFlows").GetArrayLength() > 0);
        edited.Edit("gke-west/backend-policy.yaml", "balancingMode: CUSTOM_METRICS", "balancingMode: CUSTOM_METRIC");
        run = await DiffAsync(Manifests.Quickstart, edited.Path, "--exit-code");
        Assert.Equal((2, ""), (run.ExitCode, run.Output));
        Assert.Contains("did you mean CUSTOM_METRICS?", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Diff_ManifestsBeside_IsRefused()
    {
        var run = await DiffAsync(Manifests.Quickstart, Manifests.Quickstart, "--manifests", Manifests.Quickstart);
        Assert.Equal(new ToolRun(1, "", "error: --diff names both directories of manifests: leave --manifests out.\nnext: mesh replay --help\n"), run);
    }
}
