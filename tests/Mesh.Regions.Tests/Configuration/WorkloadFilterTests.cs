using Mesh.Gateway.Federation.Configuration;
using Mesh.Resources.Reading;

namespace Mesh.Regions.Tests.Configuration;

public sealed class WorkloadFilterTests
{
    private const string Mixed = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n---\nkind: Gateway\nspec:\n  parent:\n    kind: Pod\n---\nkind: \"EndpointSlice\" # addresses\n";

    [Fact]
    public void Apply_MixedFile_KeepsWhatOthersNeed()
    {
        var kept = WorkloadFilter.Apply([new ManifestText("c", "mixed.yaml", Mixed), new ManifestText("c", "pods.yaml", "kind: Pod\n")]);
        Assert.Equal("kind: Gateway\nspec:\n  parent:\n    kind: Pod\n", Assert.Single(kept).Text);
    }

    [Fact]
    public void Apply_NoPods_LeavesTheTextAsItIs()
    {
        const string Text = "# note\n---\nkind: Gateway\n---\nkind: HTTPRoute\n";
        Assert.Equal(Text, Assert.Single(WorkloadFilter.Apply([new ManifestText("c", "a.yaml", Text)])).Text);
    }

    [Fact]
    public void Only_MixedFile_GivesTheRestUnderAnotherName()
    {
        var kept = Assert.Single(WorkloadFilter.Only([new ManifestText("c", "mixed.yaml", Mixed), new ManifestText("c", "gateway.yaml", "kind: Gateway\n")]));
        Assert.Equal("workloads-mixed.yaml", kept.Name);
        Assert.Contains("kind: Pod", kept.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("Gateway", kept.Text, StringComparison.Ordinal);
    }
}
