using Mesh.Resources.Tests.Support;

namespace Mesh.Resources.Tests.Status;

public sealed class StatusTests
{
    [Fact]
    public void Load_Quickstart_EveryConditionIsTrue()
    {
        var statuses = ManifestLoader.Load(Cases.Quickstart).Statuses;

        Assert.All(statuses.SelectMany(s => s.Conditions), c => Assert.True(c.Status, c.ToString()));
        Assert.Equal(
            [
                "gke-east AutoscalingMetric gpu-cache: Accepted Programmed",
                "gke-east ClusterProfile gke-east: Accepted",
                "gke-east InferenceObjective food-review: Accepted ResolvedRefs",
                "gke-east InferencePool vllm-llama3-8b-instruct: Accepted ResolvedRefs Exported",
                "gke-west AutoscalingMetric gpu-cache: Accepted Programmed",
                "gke-west ClusterProfile gke-west: Accepted",
                "gke-west GCPBackendPolicy my-backend-policy: Attached",
                "gke-west GCPInferencePoolImport vllm-llama3-8b-instruct: Accepted",
                "gke-west Gateway cross-region-gateway: Accepted Programmed",
                "gke-west HTTPRoute vllm-llama3-8b-instruct-default: Accepted ResolvedRefs",
                "gke-west HealthCheckPolicy health-check-policy: Attached",
                "gke-west InferenceObjective food-review: Accepted ResolvedRefs",
                "gke-west InferencePool vllm-llama3-8b-instruct: Accepted ResolvedRefs Exported",
            ],
            statuses.Select(s => $"{s.Cluster} {s.Kind} {s.Name}: {string.Join(' ', s.Conditions.Select(c => c.Type))}"));
    }

    [Fact]
    public void Load_Quickstart_ConditionsSayWhere()
    {
        var statuses = ManifestLoader.Load(Cases.Quickstart).Statuses;
        Assert.Equal("Listens in europe-west3, us-east4", statuses.Single(s => s.Kind == "Gateway").Conditions[1].Message);
        Assert.Equal("Exported by gke-east, gke-west", statuses.Single(s => s.Kind == "GCPInferencePoolImport").Conditions[0].Message);
        Assert.Equal("gke-west/gateway.yaml:6", statuses.Where(s => s.Kind == "Gateway").Select(s => $"{s.File}:{s.Line}").Single());
    }

    [Fact]
    public void Load_ErrorElsewhere_LeavesOtherObjectsConditions()
    {
        using var directory = new TempDirectory();
        directory.CopyFrom(Cases.Quickstart);
        var file = Path.Combine(directory.Path, "gke-west", "backend-policy.yaml");
        File.WriteAllText(file, File.ReadAllText(file).Replace("timeoutSec: 100", "timeoutSec: 0", StringComparison.Ordinal));
        var bad = ManifestLoader.Load(directory.Path).Statuses.SelectMany(s => s.Conditions.Where(c => !c.Status).Select(c => $"{s.Kind} {c.Type} {c.Reason}"));
        Assert.Equal(["GCPBackendPolicy Attached Invalid"], bad);
    }
}
