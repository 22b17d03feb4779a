using System.Net;
using System.Text;
using System.Text.Json;
using Mesh.Testing.Net;

namespace Mesh.Gateway.Tests.EndToEnd;

/// <summary>Fields of manifests have their effect through reader, engine, gateway and simulated servers.</summary>
[Collection(AloneCollection.Name)]
public sealed class ManifestFieldTests
{
    private const string Policy = "gke-west/backend-policy.yaml";

    private static StringContent Body(string model = "food-review-1", int maxTokens = 4, bool stream = false) => new(
        $$"""{"model":"{{model}}","prompt":"What is the best pizza in the world?","max_tokens":{{maxTokens}},"stream":{{(stream ? "true" : "false")}}}""",
        Encoding.UTF8,
        "application/json");

    private static string ServedBy(HttpResponseMessage response) => response.Headers.GetValues("x-gateway-destination-endpoint-served").Single();

    [Fact]
    public async Task SessionAffinity_Header_KeepsEachSessionAtOneEndpoint()
    {
        await using var mesh = await SimulatedMesh.StartAsync(
            prepare: m => m.Edit(Policy, "    timeoutSec: 100", "    timeoutSec: 100\n    sessionAffinity: {type: HEADER_FIELD, httpHeaderName: X-User}"));
        var endpoints = new HashSet<string>();
        for (var user = 0; user < 12; user++)
        {
            var seen = new HashSet<string>();
            for (var i = 0; i < 5; i++)
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions") { Content = Body(), Headers = { { "X-User", $"user-{user}" } } };
                using var response = await mesh.Client.SendAsync(request);
                Assert.Equal(HttpStatusCode.OK, response.StatusCode);
                seen.Add(ServedBy(response));
            }

            endpoints.Add(Assert.Single(seen));
        }

        Assert.True(endpoints.Count > 1, "all sessions at one endpoint");
    }

    [Fact]
    public async Task RewriteOfModelAndPath_ReachTheModelServer_AndTheNameComesBack()
    {
        await using var mesh = await SimulatedMesh.StartAsync(prepare: m =>
        {
            m.Edit("gke-west/gateway.yaml", "    - backendRefs:\n", "    - matches: [{path: {type: PathPrefix, value: /team-a}}]\n      filters: [{type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /}}}]\n      backendRefs:\n");
            m.Write("gke-west/rewrite.yaml", """
                apiVersion: inference.networking.x-k8s.io/v1alpha2
                kind: InferenceModelRewrite
                metadata: {name: chat, namespace: default}
                spec:
                  poolRef: {name: vllm-llama3-8b-instruct}
                  rules:
                  - matches: [{model: {type: Exact, value: chat}}]
                    targets: [{modelRewrite: food-review-0, weight: 1}]
                """);
        });
        using var response = await mesh.Client.PostAsync("/team-a/v1/completions", Body("chat"));
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        using var json = JsonDocument.Parse(text);
        Assert.Equal("chat", json.RootElement.GetProperty("model").GetString());
        using var stream = await mesh.Client.PostAsync("/team-a/v1/completions", Body("chat", stream: true));
        var events = await stream.Content.ReadAsStringAsync();
        Assert.Contains("\"model\":\"chat\"", events, StringComparison.Ordinal);
        Assert.DoesNotContain("food-review-0", events, StringComparison.Ordinal);
        using var other = await mesh.Client.PostAsync("/team-a/pause", Body("chat"));
        Assert.Equal(HttpStatusCode.NotFound, other.StatusCode);
    }

    [Fact]
    public async Task ConnectionDraining_RemovedPod_EndsItsStreamAfterTheTime()
    {
        await using var mesh = await SimulatedMesh.StartAsync(
            speed: 1, prepare: m => m.Edit(Policy, "    timeoutSec: 100", "    timeoutSec: 100\n    connectionDraining: {drainingTimeoutSec: 1}"));
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions") { Content = Body(maxTokens: 4000, stream: true) };
        using var response = await mesh.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        var endpoint = ServedBy(response);
        var pods = new[] { "gke-west/pods.yaml", "gke-east/pods.yaml" }.Single(f => File.ReadAllText(Path.Combine(mesh.Manifests.Path, f)).Contains(endpoint.Split(':')[0], StringComparison.Ordinal));
        mesh.Manifests.Edit(pods, $"podIP: {endpoint.Split(':')[0]}", $"podIP: {FreePorts.NextAddress().Address}");
        var text = await response.Content.ReadAsStringAsync().WaitAsync(TimeSpan.FromSeconds(15));
        Assert.Contains("endpoint_draining", text, StringComparison.Ordinal);
        Assert.DoesNotContain("[DONE]", text, StringComparison.Ordinal);
    }
}
