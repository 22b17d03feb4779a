using System.Text.Json;
using Mesh.Regions.Tests.Support;
using Xunit.Abstractions;

namespace Mesh.Regions.Tests.Processes;

/// <summary>Three processes, load at one gateway. Figures are printed; limits leave room for a machine that does other things as well.</summary>
[Collection(AloneCollection.Name)]
public sealed class OverflowTests(ThreeRegions regions, ITestOutputHelper output) : IClassFixture<ThreeRegions>
{
    // Long enough that reports pass many times while a request runs.
    private const int Tokens = 300;

    private const int Samples = 30;

    [Fact]
    public async Task Load_HalfOneAndAHalfAndTwoAndAHalfTimesACapacity_SharesAreTheWaterfalls()
    {
        foreach (var clients in new[] { ThreeRegions.Capacity / 2, ThreeRegions.Capacity * 3 / 2, ThreeRegions.Capacity * 5 / 2 })
        {
            await using var load = new Load(regions.All[0].Listener, clients, Tokens);
            // The two others are about equally near: what counts is that the home is full before, and that the second is before the third.
            double[] expected =
            [
                Math.Min(clients, ThreeRegions.Capacity), Math.Clamp(clients - ThreeRegions.Capacity, 0, ThreeRegions.Capacity),
                Math.Clamp(clients - (2 * ThreeRegions.Capacity), 0, ThreeRegions.Capacity),
            ];
            // A pause of this machine may let a link be suspected for a moment; shares are of the times in between.
            double[] median = [];
            await Poll.UntilAsync(
                async () => IsNear(median = await MedianAsync(), expected, clients * 0.05), TimeSpan.FromSeconds(45),
                () => $"{clients} clients: {string.Join(" / ", median)} instead of {string.Join(" / ", expected)}");
            output.WriteLine($"{clients} clients: {string.Join(" / ", median)}");
            await load.StopAsync();
            Assert.All(load.Requests, r => Assert.Equal(EndKind.Answered, r.Kind));
        }

        await NoLeaseIsLeftAsync();
    }

    [Fact]
    public async Task Load_StepFromNothingToTwice_OverflowsAtOnceAndNoPeerGetsMoreThanItsTargetAndCredits()
    {
        var home = regions.All[0];
        await Poll.UntilAsync(() => home.IsLinkedAsync(2), TimeSpan.FromSeconds(20), () => home.Log);
        await using var load = new Load(home.Listener, ThreeRegions.Capacity * 2, Tokens);
        var peak = new double[3];
        for (var i = 0; i < 40; i++)
        {
            for (var r = 1; r < 3; r++) peak[r] = Math.Max(peak[r], await InFlightAsync(r));
            await Task.Delay(25);
        }

        // The credits of one report are never more than what is free.
        Assert.InRange(Math.Max(peak[1], peak[2]), 1, ThreeRegions.Capacity);
        await load.StopAsync();
        Assert.All(load.Requests, r => Assert.Equal(EndKind.Answered, r.Kind));
        var first = load.Requests.Min(r => r.HeadAt)!.Value;
        var elsewhere = load.Requests.Where(r => !r.Served!.StartsWith(regions.Manifests.Networks[0], StringComparison.Ordinal)).Min(r => r.HeadAt)!.Value;
        output.WriteLine($"first answer after {first.TotalMilliseconds:0} ms, first of another region after {elsewhere.TotalMilliseconds:0} ms; peaks {peak[1]} and {peak[2]}");
        // 200 ms where nothing else runs.
        Assert.InRange((elsewhere - first).TotalMilliseconds, -2000, 2000);
        await NoLeaseIsLeftAsync();
    }

    [Fact]
    public async Task Reports_SteadyState_AreSmall()
    {
        await using var load = new Load(regions.All[0].Listener, ThreeRegions.Capacity, Tokens);
        var label = $"peer=\"{regions.All[0].Name}\"";
        var before = await regions.All[1].MetricAsync("mesh_peer_received_bytes_total", label);
        var began = TimeProvider.System.GetTimestamp();
        await Task.Delay(TimeSpan.FromSeconds(3));
        var bytes = (await regions.All[1].MetricAsync("mesh_peer_received_bytes_total", label) - before) / TimeProvider.System.GetElapsedTime(began).TotalSeconds;
        output.WriteLine($"reports of a loaded region: {bytes:0} bytes per second, {bytes / 10:0} each at ten per second");
        Assert.InRange(bytes / 10, 1, 4096);
    }

    [Fact]
    public async Task Regions_OfPeers_ShowWhatIsReadyThere()
    {
        var seen = "";
        await Poll.UntilAsync(
            async () =>
            {
                using var page = JsonDocument.Parse((await regions.All[0].PageAsync("/api/v1/regions"))!);
                var items = page.RootElement.GetProperty("items").EnumerateArray().ToArray();
                seen = string.Join(", ", items.Select(r => $"{r.GetProperty("name")} {r.GetProperty("link")} {r.GetProperty("readyEndpoints")}/{r.GetProperty("endpoints")}"));
                return items.Length == 3 && items.All(r => r.GetProperty("readyEndpoints").GetInt32() == 2 && r.GetProperty("endpoints").GetInt32() == 2);
            }, TimeSpan.FromSeconds(30), () => seen);
        // Regions that peers serve are no mistake of the manifests.
        Assert.All(regions.All, r => Assert.DoesNotContain("region-without-cluster", r.Log, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Config_EditInItsRegion_IsInForceEverywhere()
    {
        var before = await regions.All[2].MetricAsync("mesh_config_version");
        regions.Manifests.Edit("backend-policy.yaml", "timeoutSec: 100", "timeoutSec: 90");
        await Poll.UntilAsync(
            async () => await regions.All[1].MetricAsync("mesh_peer_config_version", "asia-northeast1") >= 2 && await regions.All[2].MetricAsync("mesh_config_version") > before,
            TimeSpan.FromSeconds(30), () => regions.All[2].Log);
    }

    private static bool IsNear(double[] actual, double[] expected, double by)
    {
        // Which of the two peers is nearer by some microseconds does not matter.
        double[] sorted = actual[1] >= actual[2] ? actual : [actual[0], actual[2], actual[1]];
        for (var i = 0; i < 3; i++)
        {
            if (Math.Abs(sorted[i] - expected[i]) > Math.Max(by, 1)) return false;
        }

        return true;
    }

    private async Task<double[]> MedianAsync()
    {
        var samples = new List<double>[] { [], [], [] };
        for (var i = 0; i < Samples; i++)
        {
            for (var r = 0; r < 3; r++) samples[r].Add(await InFlightAsync(r));
            await Task.Delay(30);
        }

        return [.. samples.Select(s => s.Order().ElementAt(s.Count / 2))];
    }

    private Task<double> InFlightAsync(int region) => regions.All[region].MetricAsync("mesh_backend_in_flight_requests");

    private async Task NoLeaseIsLeftAsync()
    {
        foreach (var region in regions.All)
            await Poll.UntilAsync(async () => await region.MetricAsync("mesh_pool_leases") == 0, TimeSpan.FromSeconds(15), () => $"{region.Name} holds leases");
    }
}
