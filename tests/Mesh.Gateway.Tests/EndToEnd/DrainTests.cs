using System.Net.Http.Json;
using System.Text;
using Mesh.Gateway.Tests.Support;

namespace Mesh.Gateway.Tests.EndToEnd;

/// <summary>Drains over the real engine, under load.</summary>
[Collection(AloneCollection.Name)]
public sealed class DrainTests
{
    [Fact]
    public async Task DrainARegion_UnderLoad_MovesEveryRequest_AndUndrainBringsThemBack()
    {
        await using var mesh = await SimulatedMesh.StartAsync();
        using var stop = new CancellationTokenSource();
        var answered = 0;
        var failures = new List<string>();
        var load = Parallel.ForAsync(0, 8, async (_, _) =>
        {
            while (!stop.IsCancellationRequested)
            {
                using var body = new StringContent("""{"model":"food-review-1","prompt":"What is the best pizza?","max_tokens":20}""", Encoding.UTF8, "application/json");
                using var response = await mesh.Client.PostAsync("/v1/completions", body);
                var text = await response.Content.ReadAsStringAsync(CancellationToken.None);
                if (response.IsSuccessStatusCode) Interlocked.Increment(ref answered);
                else lock (failures) failures.Add(text);
            }
        });
        await Eventually.TrueAsync(() => Volatile.Read(ref answered) > 50, "the load runs", 20_000);

        using (var begun = await mesh.Client.PostAsJsonAsync("/api/v1/drains", new { kind = "region", name = "us-east4", reason = "power cut" })) Assert.True(begun.IsSuccessStatusCode);
        await Eventually.TrueAsync(() => Of("us-east4").Sum(e => e.InFlightRequests) == 0, "the region is empty", 10_000);
        var before = Of("us-east4").Sum(e => e.TotalRequests);
        var seen = Volatile.Read(ref answered);
        await Eventually.TrueAsync(() => Volatile.Read(ref answered) > seen + 100, "the load goes on", 20_000);
        Assert.Equal(before, Of("us-east4").Sum(e => e.TotalRequests));
        Assert.All(Of("us-east4"), e => Assert.True(e is { Drained: true, Draining: false, Health: Core.Endpoints.EndpointHealth.Healthy }));

        using (var ended = await mesh.Client.DeleteAsync("/api/v1/drains/region/us-east4")) Assert.True(ended.IsSuccessStatusCode);
        await Eventually.TrueAsync(() => Of("us-east4").Sum(e => e.TotalRequests) > before, "requests come back", 20_000);
        await stop.CancelAsync();
        await load;
        Assert.Empty(failures);

        IEnumerable<Core.Snapshots.EndpointSnapshot> Of(string region) => mesh.Backends.Where(b => b.Region == region).SelectMany(b => b.Endpoints);
    }
}
