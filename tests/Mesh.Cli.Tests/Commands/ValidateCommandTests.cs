using Mesh.Cli.Tests.Support;

namespace Mesh.Cli.Tests.Commands;

public sealed class ValidateCommandTests
{
    [Fact]
    public async Task Validate_Quickstart_SaysThatItIsValid()
    {
        var run = await ToolRun.OfAsync("validate", Manifests.Quickstart);
        Assert.Equal(new ToolRun(0, $"{Manifests.Quickstart}: valid, 0 errors, 0 warnings; 2 clusters, 1 pool, 1 route\n", ""), run);
    }

    /// <summary>The YAML examples of both documents that the mesh starts from: right ones pass, with the warnings that they deserve, wrong ones fail with their reason.</summary>
    [Theory]
    [InlineData("guide-gateway", 0, "warning", "region-without-cluster")]
    [InlineData("guide-objective", 0, "warning", "pool-unresolved")]
    [InlineData("guide-custom-metrics", 0)]
    [InlineData("guide-timeouts", 0)]
    [InlineData("guide-in-flight", 0, "warning", "stray-dry-run")]
    [InlineData("guide-admission-policy", 0, "note", "kind-skipped", "note", "kind-skipped", "note", "kind-skipped", "note", "kind-skipped")]
    [InlineData("guide-scopes", 0, "warning", "target-group-defaulted", "warning", "alias-used")]
    [InlineData("guide-scopes-shadowed", 0, "warning", "target-group-defaulted", "warning", "alias-used", "warning", "scope-shadowed")]
    [InlineData("guide-scopes-invalid", 1, "warning", "scope-matches-nothing", "error", "scope-field-conflict")]
    [InlineData("guide-scopes-table", 1, "error", "custom-metric-name", "error", "custom-metric-value")]
    public async Task Validate_ExampleOfTheVendorsDocuments_GivesItsFindings(string name, int exitCode, params string[] expected)
    {
        using var manifests = Manifests.OfGolden(name);
        var run = await ToolRun.OfAsync("validate", manifests.Path);
        var found = run.Output.Split('\n').Where(l => l.StartsWith(manifests.Path + "/", StringComparison.Ordinal))
            .SelectMany(l => new[] { l.Split(": ")[1], l[(l.LastIndexOf('[') + 1)..^1] });
        Assert.Equal(expected, found);
        Assert.Equal(exitCode, run.ExitCode);
        Assert.Contains($"{manifests.Path}: {(exitCode == 0 ? "valid" : "refused")}, ", run.Output, StringComparison.Ordinal);
        Assert.Equal("", run.Error);
    }

    [Fact]
    public async Task Validate_PolicyThatTheGuideCallsInvalid_NamesPlaceReasonAndRemedy()
    {
        using var manifests = Manifests.OfGolden("guide-scopes-invalid");
        var run = await ToolRun.OfAsync("validate", manifests.Path);
        Assert.Contains(
            $"""
            {manifests.Path}/west/in.yaml:15:7: error: maxInFlightPerEndpoint cannot be set in scopes[0] (gke.io/zone: us-central1-a) while balancingMode is set in default (line 11): the policy is rejected [scope-field-conflict]
                at spec.default.scopes[0].maxInFlightPerEndpoint
                hint: the balancing mode and its capacity fields are one unit: set all of them in default, or all of them in scopes

            {manifests.Path}: refused, 1 error, 1 warning

            """,
            run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Validate_TenMistakes_ReportsThemInOneRun()
    {
        using var manifests = Manifests.OfGolden("ten-mistakes");
        var run = await ToolRun.OfAsync("validate", manifests.Path, "--output", "json");
        Assert.Equal((1, ""), (run.ExitCode, run.Error));
        Assert.Equal((false, 10), (run.Json.GetProperty("valid").GetBoolean(), run.Json.GetProperty("errors").GetInt32()));
        Assert.All(run.Json.GetProperty("diagnostics").EnumerateArray(), d =>
        {
            Assert.Equal("error", d.GetProperty("severity").GetString());
            Assert.True(d.GetProperty("line").GetInt32() > 0 && d.GetProperty("column").GetInt32() > 0 && d.GetProperty("document").GetInt32() > 0);
            Assert.EndsWith(".yaml", d.GetProperty("file").GetString(), StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task Validate_BrokenYaml_NamesLineAndColumn()
    {
        using var manifests = Manifests.CopyOf(Manifests.Quickstart);
        manifests.Write("gke-west/broken.yaml", "apiVersion: v1\nkind: [Pod\n");
        var run = await ToolRun.OfAsync("validate", manifests.Path);
        Assert.Equal(1, run.ExitCode);
        Assert.StartsWith($"{manifests.Path}/gke-west/broken.yaml:3:1: error: ", run.Output, StringComparison.Ordinal);
        Assert.Contains("[yaml-syntax]\n", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Validate_MissingDirectory_SaysWhatToName()
    {
        var run = await ToolRun.OfAsync("validate", "/no/such/place");
        Assert.Equal(1, run.ExitCode);
        Assert.Equal(
            """
            /no/such/place: error: There is no directory /no/such/place [directory-missing]
                hint: name a directory with one folder of manifests for each cluster

            /no/such/place: refused, 1 error, 0 warnings

            """,
            run.Output);
    }

    [Fact]
    public async Task Validate_FileInsteadOfDirectory_SaysSo()
    {
        var file = Path.Combine(Manifests.Quickstart, "README.md");
        var run = await ToolRun.OfAsync("validate", file);
        Assert.Equal(1, run.ExitCode);
        Assert.Contains($"{file} is a file, not a directory", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Validate_ValueWithControlCharacters_CannotSteerTheTerminal()
    {
        using var manifests = Manifests.CopyOf(Manifests.Quickstart);
        manifests.Edit("gke-west/backend-policy.yaml", "balancingMode: CUSTOM_METRICS", "balancingMode: \"\\e[2J\\nRATE\"");
        var run = await ToolRun.OfAsync("validate", manifests.Path);
        Assert.Contains("balancingMode is \\u001b[2J\\nRATE; it must be one of", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Validate_OnATerminal_IsColouredByGravity()
    {
        using var manifests = Manifests.OfGolden("guide-scopes");
        var run = await ToolRun.InColourAsync("validate", manifests.Path);
        Assert.Contains("\u001b[33mwarning\u001b[0m: spec.targetRef has no group", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("\u001b", (await ToolRun.OfAsync("validate", manifests.Path)).Output, StringComparison.Ordinal);
    }
}
