using System.Net;
using System.Text;
using System.Text.Json;
using Mesh.Core.Endpoints;
using Mesh.Gateway.Tests.Support;
using Mesh.Testing.Net;

namespace Mesh.Gateway.Tests.EndToEnd;

/// <summary>What the mesh shows under load.</summary>
[Collection(AloneCollection.Name)]
public sealed class LoadTests
{
    private static HttpContent Body(int maxTokens, bool stream = false, string model = "food-review-1") => new StringContent(
        $$"""{"model":"{{model}}","prompt":"What is the best pizza in the world?","max_tokens":{{maxTokens}},"temperature":0{{(stream ? ",\"stream\":true" : "")}}}""",
        Encoding.UTF8,
        "application/json");

    [Fact]
    public async Task Curl_OfTheSetUpGuide_AnswersATextCompletion()
    {
        await using var mesh = await SimulatedMesh.StartAsync();
        using var response = await mesh.Client.PostAsync("/v1/completions", Body(100));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        using var json = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        var root = json.RootElement;
        Assert.StartsWith("cmpl-", root.GetProperty("id").GetString(), StringComparison.Ordinal);
        Assert.Equal("text_completion", root.GetProperty("object").GetString());
        Assert.True(root.GetProperty("created").GetInt64() > 1_700_000_000);
        Assert.Equal("food-review-1", root.GetProperty("model").GetString());
        var choice = root.GetProperty("choices")[0];
        Assert.NotEmpty(choice.GetProperty("text").GetString()!);
        Assert.Equal(0, choice.GetProperty("index").GetInt32());
        Assert.Equal(JsonValueKind.Null, choice.GetProperty("logprobs").ValueKind);
        Assert.Equal("length", choice.GetProperty("finish_reason").GetString());
        Assert.Equal(100, root.GetProperty("usage").GetProperty("completion_tokens").GetInt32());
    }

    [Fact]
    public async Task Requests2000_From64Clients_AllAnsweredEvenlyAndReturned()
    {
        // In real time, as the quick start runs: samples are as fresh, measured in steps of the model, as they would be.
        await using var mesh = await SimulatedMesh.StartAsync(speed: 1);
        var answered = 0;
        await Parallel.ForEachAsync(Enumerable.Range(0, 2000), new ParallelOptions { MaxDegreeOfParallelism = 64 }, async (i, _) =>
        {
            using var response = await mesh.Client.PostAsync("/v1/completions", Body(8 + (i % 17), stream: i % 3 == 0));
            var text = await response.Content.ReadAsStringAsync();
            Assert.True(response.IsSuccessStatusCode, text);
            if (i % 3 == 0) Assert.EndsWith("data: [DONE]\n\n", text, StringComparison.Ordinal);
            Interlocked.Increment(ref answered);
        });
        Assert.Equal(2000, answered);
        await Eventually.TrueAsync(() => mesh.Endpoints.All(e => e.InFlightRequests == 0), "in-flight is back to 0 on every endpoint", 1000);
        Assert.Equal(2000, mesh.Endpoints.Sum(e => e.TotalRequests));
        Assert.Equal(2, mesh.Backends.Count());
        foreach (var backend in mesh.Backends)
        {
            var shares = backend.Endpoints.Select(e => e.TotalRequests).ToArray();
            Assert.Equal(4, shares.Length);
            Assert.True(shares.Max() <= 1.3 * shares.Min(), $"{backend.Id}: {string.Join(", ", shares)}");
        }
    }

    [Fact]
    public async Task EndpointKilled_UnderLoad_NothingUnbegunFails_AndItComesBack()
    {
        var interval = TimeSpan.FromSeconds(1);
        await using var mesh = await SimulatedMesh.StartAsync(
            prepare: m => m.Edit("gke-west/gateway.yaml", "  default:\n    config:", "  default:\n    checkIntervalSec: 1\n    timeoutSec: 1\n    config:"));
        var victim = mesh.Servers.Keys.First();
        using var stop = new CancellationTokenSource();
        int answered = 0, begunAndBroken = 0;
        var failures = new List<string>();
        var load = Parallel.ForAsync(0, 16, async (_, _) =>
        {
            while (!stop.IsCancellationRequested)
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions") { Content = Body(20, stream: true) };
                using var response = await mesh.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, CancellationToken.None);
                var text = await response.Content.ReadAsStringAsync(CancellationToken.None);
                if (text.EndsWith("data: [DONE]\n\n", StringComparison.Ordinal)) Interlocked.Increment(ref answered);
                else if (response.IsSuccessStatusCode && text.Contains("\"code\":\"stream_broken\"", StringComparison.Ordinal)) Interlocked.Increment(ref begunAndBroken);
                else lock (failures) failures.Add($"{(int)response.StatusCode} {text}");
            }
        });
        await Eventually.TrueAsync(() => Volatile.Read(ref answered) > 100, "the load runs");
        await mesh.Servers[victim].KillAsync();
        await Eventually.TrueAsync(() => mesh.Endpoint(victim).Health == EndpointHealth.Unhealthy, "it is out within two probe intervals", (int)(2 * interval.TotalMilliseconds));
        var sentThen = mesh.Endpoint(victim).TotalRequests;
        var answeredThen = Volatile.Read(ref answered);
        await Eventually.TrueAsync(() => Volatile.Read(ref answered) > answeredThen + 200, "the others go on");
        Assert.Equal(sentThen, mesh.Endpoint(victim).TotalRequests);
        await mesh.StartServerAsync(victim);
        await Eventually.TrueAsync(() => mesh.Endpoint(victim).TotalRequests > sentThen, "it gets requests again after it returned", 6000);
        await stop.CancelAsync();
        await load;
        Assert.Empty(failures);
        Assert.True(begunAndBroken <= 16, $"{begunAndBroken} broken");
        await Eventually.TrueAsync(() => mesh.Endpoints.All(e => e.InFlightRequests == 0), "all leases come back", 1000);
    }

    [Fact]
    public async Task Clients100_GoneInMidStream_NothingRunsAfterASecond()
    {
        await using var mesh = await SimulatedMesh.StartAsync(speed: 2);
        using var cancel = new CancellationTokenSource();
        var begun = 0;
        var clients = Enumerable.Range(0, 100).Select(async _ =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions") { Content = Body(4000, stream: true) };
            using var response = await mesh.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel.Token);
            using var stream = await response.Content.ReadAsStreamAsync(CancellationToken.None);
            var buffer = new byte[4096];
            var first = true;
            while (await stream.ReadAsync(buffer, cancel.Token) > 0)
            {
                if (first) Interlocked.Increment(ref begun);
                first = false;
            }
        }).ToArray();
        await Eventually.TrueAsync(() => Volatile.Read(ref begun) == 100, "all streams run");
        Assert.Equal(100, mesh.Servers.Values.Sum(s => s.RunningRequests));
        await cancel.CancelAsync();
        await Eventually.TrueAsync(() => mesh.Servers.Values.All(s => s.RunningRequests == 0), "nothing runs any more", 1000);
        await Eventually.TrueAsync(() => mesh.Endpoints.All(e => e.InFlightRequests == 0), "all leases come back", 1000);
        foreach (var client in clients) await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client);
        await Eventually.TrueAsync(() => mesh.Servers.Values.Sum(s => s.AbortedRequests) == 100, "every one is counted as aborted", 1000);
    }

    [Fact]
    public async Task Edit_UnderLoad_TakesEffectWithinASecond_WithoutAFailure()
    {
        await using var mesh = await SimulatedMesh.StartAsync();
        using var stop = new CancellationTokenSource();
        var answered = 0;
        var failures = new List<string>();
        var load = Parallel.ForAsync(0, 8, async (_, _) =>
        {
            while (!stop.IsCancellationRequested)
            {
                using var response = await mesh.Client.PostAsync("/v1/completions", Body(20));
                var text = await response.Content.ReadAsStringAsync(CancellationToken.None);
                if (response.IsSuccessStatusCode) Interlocked.Increment(ref answered);
                else lock (failures) failures.Add(text);
            }
        });
        await Eventually.TrueAsync(() => Volatile.Read(ref answered) > 50, "the load runs");

        // A pod leaves: nothing more is sent there.
        var gone = new EndpointId($"{mesh.Manifests.Network}14:8000");
        mesh.Manifests.Edit("gke-west/pods.yaml", "app: vllm-llama3-8b-instruct\nspec:\n  containers:\n    - name: vllm\n      image: vllm/vllm-openai:latest\n      ports:\n        - name: http\n          containerPort: 8000\nstatus:\n  phase: Running\n  podIP: " + mesh.Manifests.Network + "14", "app: other\nspec:\n  containers:\n    - name: vllm\nstatus:\n  phase: Running\n  podIP: " + mesh.Manifests.Network + "14");
        await Eventually.TrueAsync(() => mesh.Endpoints.All(e => e.Id != gone || e.Draining), "the pod is out", 1000);

        // A new listener opens and an old route goes on.
        var address = FreePorts.NextAddress();
        mesh.Manifests.Edit("gke-west/gateway.yaml", "      port: 80\n", $"      port: 80\n    - name: second\n      protocol: HTTP\n      port: {address.Port}\n");
        await Eventually.TrueAsync(() => IsOpen(new IPEndPoint(IPAddress.Loopback, address.Port)), "the new listener is open", 1500);

        // A broken edit changes nothing.
        var version = mesh.Host.ConfigVersion;
        mesh.Manifests.Edit("gke-west/backend-policy.yaml", "timeoutSec: 100", "timeoutSec: never");
        await Eventually.TrueAsync(() => mesh.Host.Metrics.Reloads.With("refused").Value == 1, "the broken edit is refused", 1500);
        Assert.Equal(version, mesh.Host.ConfigVersion);
        mesh.Manifests.Edit("gke-west/backend-policy.yaml", "timeoutSec: never", "timeoutSec: 90");
        await Eventually.TrueAsync(() => mesh.Host.ConfigVersion > version, "the mended one is taken", 1500);
        await stop.CancelAsync();
        await load;
        Assert.Empty(failures);
        await Eventually.TrueAsync(() => mesh.Endpoints.All(e => e.InFlightRequests == 0), "all leases come back", 1000);
    }

    private static bool IsOpen(IPEndPoint address)
    {
        using var socket = new System.Net.Sockets.Socket(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
        try
        {
            socket.Connect(address);
            return true;
        }
        catch (System.Net.Sockets.SocketException)
        {
            return false;
        }
    }
}
