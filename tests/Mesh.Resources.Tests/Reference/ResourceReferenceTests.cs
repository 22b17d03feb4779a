using Mesh.Resources.Types;

namespace Mesh.Resources.Tests.Reference;

public sealed partial class ResourceReferenceTests
{
    private static string Root => Path.GetFullPath(Path.Combine(SourceFolder(), "..", "..", ".."));

    [Fact]
    public void Reference_IsThatOfTheReaders()
    {
        var file = Path.Combine(Root, "src", "docs", "resources.md");
        var made = ResourceReference.Render(Path.Combine(Root, "src", "Mesh.Resources", "Types"));
        if (Environment.GetEnvironmentVariable("MESH_UPDATE_REFERENCE") == "1") File.WriteAllText(file, made);
        Assert.True(File.Exists(file) && File.ReadAllText(file) == made, $"{file} is stale: run this test with MESH_UPDATE_REFERENCE=1 to make it anew.");
    }

    [Theory]
    [InlineData("GCPBackendPolicy", "spec.default.timeoutSec", "a whole number, 1–2147483647", false)]
    [InlineData("GCPBackendPolicy", "spec.default.balancingMode", "one of RATE, IN_FLIGHT, CUSTOM_METRICS, UTILIZATION", false)]
    [InlineData("GCPBackendPolicy", "spec.targetRef", "object", true)]
    [InlineData("HealthCheckPolicy", "spec.default.checkIntervalSec", "a whole number, 1–300", false)]
    [InlineData("InferenceObjective", "spec.priority", "a whole number of 32 bits", false)]
    [InlineData("FlowControlPolicy", "spec.whenFull", "one of Overfill, Queue, Shed", false)]
    public void Probe_FindsFieldsWithTheirRanges(string kind, string path, string type, bool required)
    {
        var fields = new FieldProbe(Kinds.All.Single(k => k.Name == kind)).Fields();
        Assert.Contains((path, type, required), fields);
        Assert.Equal(fields.Count, fields.Select(f => f.Path).Distinct().Count());
    }

    [Fact]
    public void Docs_EveryLink_LeadsSomewhere()
    {
        var folder = Path.Combine(Root, "src", "docs");
        var links = Directory.EnumerateFiles(folder, "*.md").SelectMany(f => Link().Matches(File.ReadAllText(f)).Select(m => (f, m.Groups[1].Value))).Where(l => !l.Value.Contains("://", StringComparison.Ordinal)).ToList();
        Assert.True(links.Count > 30);
        Assert.All(links, l => Assert.True(Path.Exists(Path.Combine(folder, l.Value.Split('#')[0])), $"{l.f}: {l.Value}"));
    }

    [Fact]
    public void Probe_EveryKind_HasFields() =>
        Assert.All(Kinds.All.Where(k => !k.IsCore && k.Name != "GCPInferencePoolImport"), k => Assert.NotEmpty(new FieldProbe(k).Fields()));

    [System.Text.RegularExpressions.GeneratedRegex(@"\]\(([^)]+)\)")]
    private static partial System.Text.RegularExpressions.Regex Link();

    private static string SourceFolder([System.Runtime.CompilerServices.CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
}
