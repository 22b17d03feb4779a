using System.Text.RegularExpressions;
using Mesh.Cli.Tests.Support;

namespace Mesh.Cli.Tests.Commands;

public sealed class ExplainCommandTests
{
    [Fact]
    public async Task Explain_ScopesExample_ShowsEachScopesSettingsWithTheirOrigin()
    {
        using var manifests = Manifests.OfGolden("guide-scopes");
        var run = await ToolRun.OfAsync("explain", manifests.Path, "--pool", "experimental");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));

        // Half of the capacity in us-west2, 40 requests per second in env: prod, preferred with 50 in the one zone.
        Assert.Matches(@"capacityScalerPercent +50% +GCPBackendPolicy default/backend-policy scopes\[0\] \(gke\.io/region: us-west2\), west/in\.yaml:12\n", Section(run, "west/us-west2-a:8000"));
        var east = Section(run, "east/us-east4-a:8000");
        Assert.Contains("scope                   scopes[1] (env: prod), west/in.yaml:16\n", east, StringComparison.Ordinal);
        Assert.Matches(@"maxRatePerEndpoint +40 requests/s +GCPBackendPolicy default/backend-policy scopes\[1\] \(env: prod\), west/in\.yaml:16\n", east);
        Assert.Contains("requests per second: 2 endpoints × 40 × 100% = 80\n", east, StringComparison.Ordinal);
        var zone = Section(run, "my-cluster/us-central1-a:8000");
        const string Scope = "GCPBackendPolicy default/backend-policy scopes[2] (gke.io/cluster-name: my-cluster, gke.io/zone: us-central1-a)";
        Assert.Matches($@"backendPreference +PREFERRED +{Regex.Escape(Scope)}, west/in\.yaml:20\n", zone);
        Assert.Matches($@"maxRatePerEndpoint +50 requests/s +{Regex.Escape(Scope)}, west/in\.yaml:21\n", zone);
        Assert.Contains("requests per second: 2 endpoints × 50 × 100% = 100\n", zone, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Explain_ScopeThatAnEarlierOneShadows_ShowsTheWarning()
    {
        using var manifests = Manifests.OfGolden("guide-scopes-shadowed");
        var run = await ToolRun.OfAsync("explain", manifests.Path, "--pool", "default/experimental", "--cluster", "my-cluster");
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("scope                   scopes[1] (env: prod), west/policy.yaml:16\n", run.Output, StringComparison.Ordinal);
        Assert.Contains(
            $"  {manifests.Path}/west/policy.yaml:20:7: warning: scopes[2] (gke.io/cluster-name: my-cluster, gke.io/zone: us-central1-a) holds for no backend: scopes[1] (env: prod) in line 16 comes first",
            run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("Backend west/", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Explain_PreferredBackend_FillsFirstFromEveryRegion()
    {
        using var manifests = Manifests.OfGolden("guide-scopes");
        var run = await ToolRun.OfAsync("explain", manifests.Path, "--pool", "experimental");
        Assert.Contains(
            """
              from us-west2
                1. my-cluster/us-central1-a:8000 (us-central1, PREFERRED)
                2. west/us-west2-a:8000 (own region)
                3. east/us-east4-a:8000 (us-east4)

            """,
            run.Output, StringComparison.Ordinal);
        Assert.Contains("Other regions come nearest first", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Explain_DrainedBackendByZones_IsMarkedInItsPlace()
    {
        using var manifests = Manifests.OfGolden("scope-zero-drains");
        manifests.Write("west/traffic.yaml", """
            apiVersion: networking.gke.io/v1
            kind: GCPTrafficDistributionPolicy
            metadata: {name: zones}
            spec:
              targetRefs: [{group: networking.gke.io, kind: GCPInferencePoolImport, name: experimental}]
              default: {serviceLbAlgorithm: WATERFALL_BY_ZONE}
            """);
        var run = await ToolRun.OfAsync("explain", manifests.Path, "--pool", "experimental");
        Assert.Contains("  from us-west2, zone us-west2-a\n", run.Output, StringComparison.Ordinal);
        Assert.Contains(", drained: 0%)", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Explain_FlowControlAndScheduling_AreShownWithTheirOrigin()
    {
        using var manifests = Manifests.OfGolden("flow-control-full");
        manifests.Write("west/scheduling.yaml", """
            apiVersion: mesh.internal/v1alpha1
            kind: SchedulingProfile
            metadata: {name: published}
            spec:
              targetRef: {group: networking.gke.io, kind: GCPInferencePoolImport, name: experimental}
              builtIn: epp-default
            """);
        var run = await ToolRun.OfAsync("explain", manifests.Path, "--pool", "experimental");
        Assert.Contains("  FlowControlPolicy default/queueing    west/in.yaml:3\n  SchedulingProfile default/published   west/scheduling.yaml:3\n", run.Output, StringComparison.Ordinal);
        Assert.Contains("  whenFull             Queue     FlowControlPolicy default/queueing, west/in.yaml:6\n", run.Output, StringComparison.Ordinal);
        Assert.Contains("  maxWaitingBytes      512 MiB   FlowControlPolicy default/queueing, west/in.yaml:8\n", run.Output, StringComparison.Ordinal);
        Assert.Contains("  builtIn                      epp-default         SchedulingProfile default/published, west/scheduling.yaml:6\n", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("lateBinding", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Explain_AsJson_CarriesTheSameFacts()
    {
        using var manifests = Manifests.OfGolden("guide-scopes");
        var run = await ToolRun.OfAsync("explain", manifests.Path, "--pool", "experimental", "-o", "json");
        var backend = run.Json.GetProperty("backends").EnumerateArray().Single(b => b.GetProperty("id").GetString() == "my-cluster/us-central1-a:8000");
        Assert.Equal(2, backend.GetProperty("scope").GetProperty("scope").GetInt32());
        var rate = backend.GetProperty("settings").EnumerateArray().Single(s => s.GetProperty("name").GetString() == "maxRatePerEndpoint");
        Assert.Equal(("50 requests/s", "west/in.yaml", 21), (rate.GetProperty("value").GetString(), rate.GetProperty("origin").GetProperty("file").GetString(), rate.GetProperty("origin").GetProperty("line").GetInt32()));
        Assert.Equal(100, backend.GetProperty("targets")[0].GetProperty("value").GetDouble());
        Assert.Equal(["us-central1", "us-east4", "us-west2"], run.Json.GetProperty("fillOrder").EnumerateArray().Select(f => f.GetProperty("region").GetString()));
        Assert.Equal(2, run.Json.GetProperty("findings").GetArrayLength());
    }

    [Theory]
    [InlineData("experimentl", "There is no pool experimentl; did you mean experimental?")]
    [InlineData("defaut/experimental", "There is no pool defaut/experimental; did you mean default/experimental?")]
    [InlineData("elsewhere", "There is no pool elsewhere")]
    public async Task Explain_UnknownPool_NamesTheNearestAndAllPools(string pool, string message)
    {
        using var manifests = Manifests.OfGolden("guide-scopes");
        var run = await ToolRun.OfAsync("explain", manifests.Path, "--pool", pool);
        Assert.Equal(new ToolRun(1, "", $"error: {message}\nnext: pools are default/experimental\n"), run);
    }

    [Fact]
    public async Task Explain_PoolThatIsNotExported_SaysWhichAnnotationIsMissing()
    {
        using var manifests = Manifests.OfGolden("guide-scopes");
        manifests.Write("west/private.yaml", """
            apiVersion: inference.networking.k8s.io/v1
            kind: InferencePool
            metadata:
              name: private
            spec: {selector: {matchLabels: {app: experimental}}, targetPorts: [{number: 9000}]}
            """);
        var run = await ToolRun.OfAsync("explain", manifests.Path, "--pool", "private");
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("InferencePool default/private of west is not exported", run.Error, StringComparison.Ordinal);
        Assert.Contains("next: set the annotation networking.gke.io/export: \"True\" in west/private.yaml:4", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Explain_NameInTwoNamespaces_AsksForTheNamespace()
    {
        using var manifests = Manifests.OfGolden("guide-scopes");
        manifests.Write("west/second.yaml", """
            apiVersion: inference.networking.k8s.io/v1
            kind: InferencePool
            metadata: {name: experimental, namespace: staging, annotations: {networking.gke.io/export: "True"}}
            spec: {selector: {matchLabels: {app: none}}, targetPorts: [{number: 9000}]}
            """);
        var run = await ToolRun.OfAsync("explain", manifests.Path, "--pool", "experimental");
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("next: name the namespace too: --pool default/experimental or --pool staging/experimental", run.Error, StringComparison.Ordinal);
        var empty = await ToolRun.OfAsync("explain", manifests.Path, "--pool", "staging/experimental");
        Assert.Equal(0, empty.ExitCode);
        Assert.Contains("No backend: no cluster has a pod for this pool", empty.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Explain_UnknownCluster_NamesTheNearestAndThePoolsClusters()
    {
        using var manifests = Manifests.OfGolden("guide-scopes");
        var run = await ToolRun.OfAsync("explain", manifests.Path, "--pool", "experimental", "--cluster", "wset");
        Assert.Equal(new ToolRun(1, "", "error: There is no cluster wset; did you mean west?\nnext: clusters of the pool are east, my-cluster, west\n"), run);
    }

    [Fact]
    public async Task Explain_ManifestsWithErrors_ShowsThemAndNothingElse()
    {
        using var manifests = Manifests.OfGolden("guide-scopes-invalid");
        var run = await ToolRun.OfAsync("explain", manifests.Path, "--pool", "test-inference-pool", "-o", "json");
        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.Contains("[scope-field-conflict]", run.Error, StringComparison.Ordinal);
        Assert.EndsWith($"error: {manifests.Path} has 1 error\nnext: correct what is listed; mesh validate {manifests.Path} shows warnings too\n", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Explain_WithoutPool_IsAUsageError()
    {
        var run = await ToolRun.OfAsync("explain", Manifests.Quickstart);
        Assert.Equal(new ToolRun(2, "", "error: Option '--pool' is required.\nnext: mesh explain --help\n"), run);
    }

    private static string Section(ToolRun run, string backend)
    {
        var start = run.Output.IndexOf($"Backend {backend}\n", StringComparison.Ordinal);
        Assert.True(start >= 0, run.Output);
        return run.Output[start..run.Output.IndexOf("\n\n", start, StringComparison.Ordinal)] + "\n";
    }
}
