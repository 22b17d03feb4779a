using System.Net.Http.Json;
using System.Text.Json;
using Mesh.Gateway.Tests.Metrics;
using Mesh.Gateway.Tests.Support;

namespace Mesh.Gateway.Tests.EndToEnd;

/// <summary>External metrics of a live mesh.</summary>
[Collection(AloneCollection.Name)]
public sealed class ExternalMetricTests
{
    private const string Api = "/apis/external.metrics.k8s.io/v1beta1";
    private const string Vendor = "autoscaling.gke.io%7Cgpu-cache%7Ckv-cache";

    [Fact]
    public async Task Api_OfALiveMesh_TellsExportedMetricsByPoolAndCluster()
    {
        await using var mesh = await SimulatedMesh.StartAsync();
        await Eventually.TrueAsync(() => mesh.Endpoints.All(e => e.LastSample?.NamedMetrics.Count > 0), "every endpoint has been scraped", 10_000);

        var resources = await GetAsync(mesh, Api);
        Assert.Equal(("APIResourceList", "external.metrics.k8s.io/v1beta1"), (resources.GetProperty("kind").GetString(), resources.GetProperty("groupVersion").GetString()));
        var names = resources.GetProperty("resources").EnumerateArray().Select(r => r.GetProperty("name").GetString()!).ToArray();
        Assert.Contains("kv-cache", names);
        Assert.Contains("autoscaling.gke.io|gpu-cache|kv-cache", names);
        Assert.Contains("mesh-queue-length", names);
        Assert.Equal("external.metrics.k8s.io", (await GetAsync(mesh, "/apis")).GetProperty("groups")[0].GetProperty("name").GetString());
        Assert.Equal("APIGroup", (await GetAsync(mesh, "/apis/external.metrics.k8s.io")).GetProperty("kind").GetString());

        var whole = Assert.Single(Items(await GetAsync(mesh, $"{Api}/namespaces/default/kv-cache?labelSelector=pool%3Dvllm-llama3-8b-instruct")));
        Assert.Equal(("pool", "average", "0"), (Label(whole, "scope"), Label(whole, "statistic"), whole.GetProperty("value").GetString()));
        Assert.Equal("kv-cache", whole.GetProperty("metricName").GetString());
        Assert.True(DateTimeOffset.TryParse(whole.GetProperty("timestamp").GetString(), out _));
        Assert.Single(Items(await GetAsync(mesh, $"{Api}/namespaces/default/{Vendor}")));
        Assert.Equal(["gke-east", "gke-west"], Items(await GetAsync(mesh, $"{Api}/namespaces/default/{Vendor}?labelSelector=cluster")).Select(i => Label(i, "cluster")));
        var ready = Assert.Single(Items(await GetAsync(mesh, $"{Api}/namespaces/default/mesh-ready-endpoints?labelSelector=cluster%20in%20(gke-west)")));
        Assert.Equal(("4", "europe-west3"), (ready.GetProperty("value").GetString(), Label(ready, "region")));
        Assert.Empty(Items(await GetAsync(mesh, $"{Api}/namespaces/other/kv-cache")));

        // The same as series.
        var page = ExpositionFormat.Parse(await mesh.Client.GetStringAsync("/metrics"));
        Assert.Equal(8, page.Single(s => s.Key.StartsWith("mesh_external_metric{", StringComparison.Ordinal) && s.Key.Contains("cluster=\"\",metric=\"mesh-ready-endpoints\"", StringComparison.Ordinal)).Value);
    }

    [Theory]
    [InlineData("/namespaces/default/kv-cach", 404, "There are: kv-cache, kv-cache-old, mesh-")]
    [InlineData("/namespaces/default/autoscaling.gke.io%7Cother%7Ckv-cache", 404, "Exported are: autoscaling.gke.io|gpu-cache|kv-cache")]
    [InlineData("/namespaces/default/autoscaling.gke.io%7Ckv-cache", 404, "AUTOSCALINGMETRIC")]
    [InlineData("/default/kv-cache", 404, "namespaces/NAMESPACE/METRIC")]
    [InlineData("/namespaces/default/kv-cache?labelSelector=a%3E1", 400, "is no requirement")]
    public async Task Api_Mistake_IsAStatus(string path, int code, string message)
    {
        await using var mesh = await SimulatedMesh.StartAsync();
        using var response = await mesh.Client.GetAsync(Api + path);
        var status = await response.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal((code, "Status", "Failure", code), ((int)response.StatusCode, status.GetProperty("kind").GetString(), status.GetProperty("status").GetString(), status.GetProperty("code").GetInt32()));
        Assert.Contains(message, status.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    private static Task<JsonElement> GetAsync(SimulatedMesh mesh, string path) => mesh.Client.GetFromJsonAsync<JsonElement>(path);

    private static JsonElement[] Items(JsonElement list)
    {
        Assert.Equal(("ExternalMetricValueList", "external.metrics.k8s.io/v1beta1"), (list.GetProperty("kind").GetString(), list.GetProperty("apiVersion").GetString()));
        return [.. list.GetProperty("items").EnumerateArray()];
    }

    private static string? Label(JsonElement item, string name) => item.GetProperty("metricLabels").GetProperty(name).GetString();
}
