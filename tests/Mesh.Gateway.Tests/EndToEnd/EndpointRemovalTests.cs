using System.Net;
using System.Text;
using Mesh.Core.Endpoints;
using Mesh.Gateway.Tests.Support;

namespace Mesh.Gateway.Tests.EndToEnd;

/// <summary>An edit of the manifests takes an endpoint away on which a request hangs.</summary>
[Collection(AloneCollection.Name)]
public sealed class EndpointRemovalTests
{
    [Fact]
    public async Task ManifestEdit_RemovesAHungEndpoint_TheRequestIsAnsweredByAnother()
    {
        await using var mesh = await SimulatedMesh.StartAsync(speed: 4);
        // A plain answer of thousands of tokens: its head is many seconds away when the endpoint goes.
        using var client = Clients.Create(mesh.Uri);
        client.Timeout = TimeSpan.FromSeconds(120);
        using var content = Ask(6000);
        var posting = client.PostAsync("/v1/completions", content);
        await Eventually.TrueAsync(() => mesh.Endpoints.Any(e => e.InFlightRequests > 0), "the request is placed");
        var hung = mesh.Endpoints.First(e => e.InFlightRequests > 0).Id;
        var files = Directory.GetFiles(mesh.Manifests.Path, "pods.yaml", SearchOption.AllDirectories);
        var file = files.Single(f => File.ReadAllText(f).Contains(HostOf(hung), StringComparison.Ordinal));
        var documents = (await File.ReadAllTextAsync(file)).Split("\n---\n");
        Assert.True(documents.Length > 1);
        mesh.Manifests.Write(Path.GetRelativePath(mesh.Manifests.Path, file), string.Join("\n---\n", documents.Where(d => !$"{d}\n".Contains(HostOf(hung), StringComparison.Ordinal))));
        using var response = await posting.WaitAsync(TimeSpan.FromSeconds(90));
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == HttpStatusCode.OK, text);
        var served = response.Headers.GetValues("x-gateway-destination-endpoint-served").Single();
        Assert.NotEqual(hung.Address, served);
        Assert.DoesNotContain(mesh.Endpoints, e => e.Id == hung && e.InFlightRequests > 0);
        await Eventually.TrueAsync(() => mesh.Servers[hung].RunningRequests == 0, "the old endpoint is freed");
    }

    private static string HostOf(EndpointId endpoint) => $" {endpoint.Address[..endpoint.Address.LastIndexOf(':')]}\n";

    private static StringContent Ask(int tokens) => new(
        $$"""{"model":"food-review-1","prompt":"Everything about pizza","max_tokens":{{tokens}}}""", Encoding.UTF8, "application/json");
}
