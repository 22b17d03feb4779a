using System.Globalization;
using Mesh.Regions.Tests.Support;
using Xunit.Abstractions;

namespace Mesh.Regions.Tests.Processes;

/// <summary>Three regions whose targets are rates: 20 requests a second each.</summary>
[Collection(AloneCollection.Name)]
public sealed class RateTests(ITestOutputHelper output)
{
    private const int TargetPerSecond = 20;
    private const int Runs = 6;
    private const double Bound = 0.05;
    private const int Tokens = 3;

    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Span = TimeSpan.FromSeconds(6);

    [Fact]
    public async Task Rate_HalfOneAndAHalfAndTwoAndAHalfTimesACapacity_SharesAreTheWaterfalls()
    {
        await using var group = new RegionGroup(3, isSpread: true);
        group.Manifests.Edit("backend-policy.yaml", "balancingMode: IN_FLIGHT", "balancingMode: RATE");
        group.Manifests.Edit("backend-policy.yaml", "trafficDuration: LONG", "trafficDuration: SHORT");
        group.Manifests.Edit("backend-policy.yaml", "maxInFlightPerEndpoint: 8", $"maxRatePerEndpoint: {TargetPerSecond / 2}");
        await group.StartAsync(peers: 2);
        foreach (var perSecond in new[] { TargetPerSecond / 2, TargetPerSecond * 3 / 2, TargetPerSecond * 5 / 2 })
        {
            var isMet = false;
            for (var run = 0; run < Runs && !isMet; run++)
            {
                await group.AreLinkedAsync(2, group.All);
                var requests = await SteadyLoad.RunAsync(group.All[0].Listener, perSecond, Settle + Span, Tokens);
                Assert.All(requests, r => Assert.Equal(EndKind.Answered, r.Kind));
                var counts = new double[3];
                foreach (var request in requests.Where(r => r.SentAt >= Settle)) counts[Timeline.RegionOf(request, group.Manifests.Networks)!.Value]++;
                // What this machine could offer in time, which is a little less than it should when others want it.
                var offered = counts.Sum();
                var target = TargetPerSecond * Span.TotalSeconds;
                double[] expected = [Math.Min(offered, target), Math.Clamp(offered - target, 0, target), Math.Clamp(offered - (2 * target), 0, target)];
                output.WriteLine(
                    $"{perSecond}/s: {string.Join(" / ", counts)} instead of {string.Join(" / ", expected.Select(e => e.ToString("0", CultureInfo.InvariantCulture)))} of {offered}");
                isMet = offered >= 0.95 * perSecond * Span.TotalSeconds && !counts.Where((c, r) => Math.Abs(c - expected[r]) > offered * Bound).Any();
            }

            Assert.True(isMet, $"{perSecond}/s: no span in {Runs} had the shares of the golden rules; see the output");
        }
    }
}
