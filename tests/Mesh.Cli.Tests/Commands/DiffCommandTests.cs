using Mesh.Cli.Tests.Support;

namespace Mesh.Cli.Tests.Commands;

public sealed class DiffCommandTests
{
    [Fact]
    public async Task Diff_CommentsAndMovedLines_ChangeNothing()
    {
        using var edited = Manifests.CopyOf(Manifests.Quickstart);
        edited.Edit("gke-west/backend-policy.yaml", "apiVersion:", "# moved\napiVersion:");
        var run = await ToolRun.OfAsync("diff", Manifests.Quickstart, edited.Path, "--exit-code");
        Assert.Equal(new ToolRun(0, "Nothing changes in effect.\n", ""), run);
    }

    [Fact]
    public async Task Diff_PolicyEdit_ShowsEachBackendsSettingAndTarget()
    {
        using var edited = Manifests.CopyOf(Manifests.Quickstart);
        edited.Edit("gke-west/backend-policy.yaml", "timeoutSec: 100", "timeoutSec: 120").Edit("gke-west/backend-policy.yaml", "maxUtilizationPercent: 60", "maxUtilizationPercent: 50");
        var run = await ToolRun.OfAsync("diff", Manifests.Quickstart, edited.Path);
        Assert.Equal(
            """
            pool default/vllm-llama3-8b-instruct
              timeoutSec:   100 s → 120 s   GCPBackendPolicy default/my-backend-policy, gke-west/backend-policy.yaml:14
              backend gke-east/us-east4-a:8000
                customMetrics.kv-cache:       60% → 50%                             GCPBackendPolicy default/my-backend-policy, gke-west/backend-policy.yaml:21
                target average of kv-cache:   60% × 100% = 0.6 → 50% × 100% = 0.5
              backend gke-west/europe-west3-c:8000
                customMetrics.kv-cache:       60% → 50%                             GCPBackendPolicy default/my-backend-policy, gke-west/backend-policy.yaml:21
                target average of kv-cache:   60% × 100% = 0.6 → 50% × 100% = 0.5
            5 changes in 1 object.

            """,
            run.Output);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
    }

    [Fact]
    public async Task Diff_RouteObjectiveAndEndpoint_AreShown()
    {
        using var edited = Manifests.CopyOf(Manifests.Quickstart);
        edited.Edit("gke-west/inference.yaml", "priority: 10", "priority: -1").Edit("gke-east/inference.yaml", "priority: 10", "priority: -1")
            .Edit("gke-east/pods.yaml", "127.2.0.4", "127.2.0.9")
            .Edit("gke-west/gateway.yaml", "backendRefs:", "timeouts: {request: 7s}\n      backendRefs:");
        var run = await ToolRun.OfAsync("diff", Manifests.Quickstart, edited.Path);
        Assert.Contains("route default/vllm-llama3-8b-instruct-default\n  rules[0].timeouts.request:   none → 7 s\n", run.Output, StringComparison.Ordinal);
        Assert.Contains("objective default/food-review\n  priority:   10 → -1\n", run.Output, StringComparison.Ordinal);
        Assert.Contains(
            "  backend gke-east/us-east4-a:8000\n    endpoint 127.2.0.4:8000:   vllm-llama3-8b-instruct-4 → none\n    endpoint 127.2.0.9:8000:   none → vllm-llama3-8b-instruct-4\n",
            run.Output, StringComparison.Ordinal);
        Assert.EndsWith("4 changes in 3 objects.\n", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Diff_ClusterAndRouteGone_AreMarkedAsRemoved()
    {
        using var edited = Manifests.CopyOf(Manifests.Quickstart);
        Directory.Delete(Path.Combine(edited.Path, "gke-east"), recursive: true);
        var run = await ToolRun.OfAsync("diff", Manifests.Quickstart, edited.Path);
        Assert.StartsWith("cluster gke-east (removed)\n", run.Output, StringComparison.Ordinal);
        Assert.Contains("  backend gke-east/us-east4-a:8000\n    endpoints:   4 → none\n", run.Output, StringComparison.Ordinal);
        var back = await ToolRun.OfAsync("diff", edited.Path, Manifests.Quickstart);
        Assert.Contains("cluster gke-east (new)\n  region:                      none → us-east4\n", back.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Diff_EditThatShadowsAScope_ShowsTheNewWarningAlone()
    {
        using var old = Manifests.OfGolden("guide-scopes");
        using var shadowed = Manifests.OfGolden("guide-scopes-shadowed");
        var run = await ToolRun.OfAsync("diff", old.Path, shadowed.Path, "-o", "json", "--exit-code");
        Assert.Equal(1, run.ExitCode);
        Assert.Equal("scope-shadowed", Assert.Single(run.Json.GetProperty("newFindings").EnumerateArray()).GetProperty("code").GetString());
        var rate = run.Json.GetProperty("changes").EnumerateArray().Single(c => c.GetProperty("name").GetString() == "maxRatePerEndpoint");
        Assert.Equal(
            ("pool", "my-cluster/us-central1-a:8000", "50 requests/s", "40 requests/s", 1),
            (rate.GetProperty("kind").GetString(), rate.GetProperty("backend").GetString(), rate.GetProperty("before").GetString(), rate.GetProperty("after").GetString(), rate.GetProperty("origin").GetProperty("scope").GetInt32()));
    }

    [Fact]
    public async Task Diff_DirectoryWithErrors_GivesNoAnswer()
    {
        var run = await ToolRun.OfAsync("diff", Manifests.Quickstart, "/no/such/place");
        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.Contains("There is no directory /no/such/place", run.Error, StringComparison.Ordinal);
        Assert.Equal(2, (await ToolRun.OfAsync("diff", Manifests.Quickstart, "/no/such/place", "--exit-code")).ExitCode);
    }

    [Fact]
    public async Task Diff_OneDirectory_IsAUsageError()
    {
        var run = await ToolRun.OfAsync("diff", Manifests.Quickstart);
        Assert.Equal(new ToolRun(2, "", "error: Required argument 'NEW' missing for command: 'diff'.\nnext: mesh diff --help\n"), run);
    }
}
