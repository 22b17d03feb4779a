using Mesh.Cli.Tests.Support;

namespace Mesh.Cli.Tests.Replay;

public sealed class FleetFileTests
{
    [Theory]
    [InlineData("region: us-east4\n      endpoints", "region: us-east\n      endpoints", "fleet.yaml:31:7: error: spec.clusters[1].region is us-east, which is not among the regions: europe-west3, us-east4 [unknown-value]", "did you mean us-east4?")]
    [InlineData("hardware: half", "hardware: hal", "spec.clusters[1].endpoints[1].hardware is hal, which is not among the hardware profiles: h100, h100-llama-3.1-8b, half", "did you mean half?")]
    [InlineData("- [90, 1]", "- [80, 1]", "spec.roundTripMs[1] says 80 ms between us-east4 and europe-west3, but line 11 says 90 ms", "a round trip is as long from either end")]
    [InlineData("    - [90, 1]\n", "", "spec.roundTripMs has 1 rows for 2 regions", "write a row and a column for each region")]
    [InlineData("numGpuBlocks: 12000", "numGpuBlock: 12000", "spec.hardware[1] has no field numGpuBlock", "did you mean numGpuBlocks?")]
    [InlineData("count: 4", "count: 0", "spec.clusters[0].endpoints[0].count is 0, out of the range 1–100000", null)]
    [InlineData("name: gke-east", "name: gke-west", "gke-west is in spec.clusters twice", "keep one of them")]
    [InlineData("kind: SimulatedFleet", "kind: SimulatedFlete", "kind is SimulatedFlete; it must be one of SimulatedFleet", "did you mean SimulatedFleet?")]
    [InlineData("maxNumSeqs: 128", "maxNumSeqs: 128\n      blockSize: 32", "half has blocks of 32 tokens, h100 of 16", "same blockSize")]
    [InlineData("maxNumSeqs: 128", "blockSize: 24", "spec.hardware[1].blockSize is 24; it must divide 512", "write 8, 16 or 32")]
    [InlineData("name: gke-east", "name: gke-eats", "spec.clusters[1].name is gke-eats, but the manifests have the clusters gke-east, gke-west", "did you mean gke-east?")]
    [InlineData("region: us-east4\n      endpoints", "region: europe-west3\n      endpoints", "spec.clusters[1].region is europe-west3, but the manifests have gke-east in us-east4", "write region: us-east4")]
    [InlineData("objective: food-review", "objective: food-reviews", "spec.clients[1].objective is food-reviews, but the manifests have the objectives food-review", "did you mean food-review?")]
    [InlineData("count: 4", "count: 4\n          zone: europe-west3-a", "zone is europe-west3-a, but the manifests' pool has endpoints of gke-west in europe-west3-c", "did you mean europe-west3-c?")]
    [InlineData("spec:\n", "spec: {}\n---\nspec:\n", "One SimulatedFleet was expected, but the file has 2 documents", "begin with apiVersion")]
    public async Task Read_Mistake_SaysWhereAndWhatInstead(string old, string now, string message, string? hint)
    {
        using var folder = new TemporaryFolder();
        var run = await ToolRun.OfAsync("replay", "--manifests", Manifests.Quickstart, "--fleet", Fleets.Edited(folder, old, now), "--trace", "sessions", "--minutes", "1");
        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
        if (hint is not null) Assert.Contains(hint, run.Error, StringComparison.Ordinal);
        Assert.Contains("next: correct what is listed", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_ClusterLeftOut_IsAWarning()
    {
        using var folder = new TemporaryFolder();
        var text = await File.ReadAllTextAsync(Fleets.Quickstart);
        var from = text.IndexOf("    - name: gke-east", StringComparison.Ordinal);
        var to = text.IndexOf("  # Three in four", StringComparison.Ordinal);
        var run = await ToolRun.OfAsync("replay", "--manifests", Manifests.Quickstart, "--fleet", folder.Write("fleet.yaml", text.Remove(from, to - from)), "--trace", "sessions", "--minutes", "1", "--rate", "2");
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("warning: Cluster gke-east of the manifests' pool default/vllm-llama3-8b-instruct is not in the fleet: it is left out [not-simulated]", run.Error, StringComparison.Ordinal);
        Assert.Contains("from us-east4: 100.0% to europe-west3", run.Output, StringComparison.Ordinal);
    }
}
