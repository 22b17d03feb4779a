using System.Globalization;
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

    // Spans of the machine's own time are tried until one is without a pause of it.
    private const int Runs = 5;
    private const double SpanSeconds = 5;

    // Of what is offered.
    private const double Bound = 0.05;

    private static readonly TimeSpan ReactionLimit = TimeSpan.FromMilliseconds(200);

    [Theory]
    [InlineData(ThreeRegions.Capacity / 2)]
    [InlineData(ThreeRegions.Capacity * 3 / 2)]
    [InlineData(ThreeRegions.Capacity * 5 / 2)]
    public async Task Load_HalfOneAndAHalfAndTwoAndAHalfTimesACapacity_SharesAreTheWaterfalls(int clients)
    {
        double[] expected =
        [
            Math.Min(clients, ThreeRegions.Capacity), Math.Clamp(clients - ThreeRegions.Capacity, 0, ThreeRegions.Capacity),
            Math.Clamp(clients - (2 * ThreeRegions.Capacity), 0, ThreeRegions.Capacity),
        ];
        var isMet = false;
        for (var run = 0; run < Runs && !isMet; run++)
        {
            await regions.AreLinkedAsync(2, regions.All);
            await using var load = new Load(regions.All[0].Listener, clients, Tokens, isMixed: true);
            // Credits are divided evenly before anybody's need is known: with three regions it takes some generations of requests until they are where they should be.
            var settle = clients > 2 * ThreeRegions.Capacity ? 12 : 4;
            await Task.Delay(TimeSpan.FromSeconds(settle + SpanSeconds));
            var end = load.Now.TotalSeconds;
            await load.StopAsync();
            var broken = load.Requests.Count(r => r.Kind != EndKind.Answered);
            var timeline = new Timeline(load.Requests, regions.Manifests.Networks);
            var means = timeline.Means(end - SpanSeconds, end);
            // Each interval's credits may turn out to be one too few or too many in each of the regions; that must not last.
            var (misplaced, longest) = timeline.Misplaced(ThreeRegions.Capacity, end - SpanSeconds, end, clients * Bound);
            output.WriteLine(
                $"{clients} clients: {string.Join(" / ", means.Select(m => m.ToString("0.00", CultureInfo.InvariantCulture)))} instead of {string.Join(" / ", expected)}; {misplaced:0.00} above target while another had room, at most {longest * 1000:0} ms more than {clients * Bound:0.0}; {broken} not answered");
            // A pause of this machine lets a link be suspected and what comes meanwhile stay at home, and one of a second ends what is under way: shares are of a span
            // without one.
            isMet = broken == 0 && misplaced <= clients * Bound && !means.Where((m, r) => Math.Abs(m - expected[r]) > clients * Bound).Any();
        }

        Assert.True(isMet, $"{clients} clients: no span in {Runs} had the shares of the golden rules; see the output");
        await NoLeaseIsLeftAsync();
    }

    [Fact]
    public async Task Load_StepFromNothingToTwice_OverflowsAtOnceAndNoPeerGetsMoreThanItsTargetAndCredits()
    {
        var home = regions.All[0];
        var isMet = false;
        for (var run = 0; run < Runs && !isMet; run++)
        {
            await regions.AreLinkedAsync(2, regions.All);
            var began = TimeProvider.System.GetUtcNow();
            await using var load = new Load(home.Listener, ThreeRegions.Capacity * 2, Tokens);
            var peak = new double[3];
            for (var i = 0; i < 40; i++)
            {
                for (var r = 1; r < 3; r++) peak[r] = Math.Max(peak[r], await InFlightAsync(r));
                await Task.Delay(25);
            }

            var (sent, after) = await UntilFirstForwardAsync(home, began);
            await load.StopAsync();
            Assert.All(load.Requests, r => Assert.Equal(EndKind.Answered, r.Kind));
            var timeline = new Timeline(load.Requests, regions.Manifests.Networks, fromHead: true);
            output.WriteLine(
                $"first request overflows after {sent} placed at home, {after?.TotalMilliseconds:0} ms after the first of them; peers' peaks {peak[1]} and {peak[2]} by their own count, {timeline.Peak(1)} and {timeline.Peak(2)} by their clients'");
            // The credits of one report are never more than what is free, so that the target is the bound of both together.
            Assert.InRange(Math.Max(peak[1], peak[2]), 1, ThreeRegions.Capacity);
            isMet = after is { } time && time < ReactionLimit && sent <= ThreeRegions.Capacity;
        }

        Assert.True(isMet, $"in none of {Runs} steps the first request overflowed within {ReactionLimit.TotalMilliseconds:0} ms and as soon as the home was at target; see the output");
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

    /// <summary>Requests that a gateway placed at home before the first that it forwarded, and the time between the first decision and that one; null without one.</summary>
    private static async Task<(int Sent, TimeSpan? After)> UntilFirstForwardAsync(RegionProcess home, DateTimeOffset since)
    {
        using var page = JsonDocument.Parse((await home.PageAsync("/mesh/v1/decisions?limit=256"))!);
        // The newest comes first.
        var decisions = page.RootElement.GetProperty("decisions").EnumerateArray().Reverse().Where(d => d.GetProperty("time").GetDateTimeOffset() >= since).ToArray();
        var first = Array.FindIndex(decisions, d => d.GetProperty("outcome").GetString() == "forward");
        return first < 0 ? (decisions.Length, null) : (first, decisions[first].GetProperty("time").GetDateTimeOffset() - decisions[0].GetProperty("time").GetDateTimeOffset());
    }

    private Task<double> InFlightAsync(int region) => regions.All[region].MetricAsync("mesh_backend_in_flight_requests");

    private async Task NoLeaseIsLeftAsync()
    {
        foreach (var region in regions.All)
            await Poll.UntilAsync(async () => await region.MetricAsync("mesh_pool_leases") == 0, TimeSpan.FromSeconds(15), () => $"{region.Name} holds leases");
    }
}
