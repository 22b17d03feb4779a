using Mesh.Regions.Tests.Support;
using Xunit.Abstractions;

namespace Mesh.Regions.Tests.Processes;

/// <summary>Clients that leave in the middle of answers which come from a peer region.</summary>
[Collection(AloneCollection.Name)]
public sealed class LeavingTests(ThreeRegions regions, ITestOutputHelper output) : IClassFixture<ThreeRegions>
{
    // Half a minute of an answer and more: what is over soon is over because the client has left.
    private const int Tokens = 7_000;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Leave_InTheMiddleOfAForwardedAnswer_PeersLeaseReturnsAndItsModelServerStops()
    {
        const int Forwarded = 8;
        Load? load = null;
        for (var attempt = 0; load is null; attempt++)
        {
            await regions.AreLinkedAsync(2, regions.All);
            load = new Load(regions.All[0].Listener, ThreeRegions.Capacity + Forwarded, Tokens);
            // A busy machine may let links be suspected for a moment, and then all of them stay at home.
            if (await HoldsAsync(async () => await PeersAsync("mesh_backend_in_flight_requests") > 0 && await RunningAsync() > 0, TimeSpan.FromSeconds(5))) break;
            Assert.True(attempt < 10, $"nothing is forwarded\n{regions.Logs}");
            await load.LeaveAsync();
            await load.DisposeAsync();
            load = null;
            // What still leaves would be forwarded for.
            await Poll.UntilAsync(async () => await PeersAsync("mesh_pool_leases") + await regions.All[0].MetricAsync("mesh_pool_leases") == 0, Limit, () => regions.Logs);
        }

        await using var running = load;
        Assert.InRange(await PeersAsync("mesh_pool_leases"), 1, Forwarded);
        Assert.InRange(await regions.All[0].MetricAsync("mesh_peer_forwarded_in_flight_requests"), 1, Forwarded);
        await load.LeaveAsync();
        Assert.DoesNotContain(load.Requests, r => r.Kind == EndKind.Answered);
        var leases = await Poll.UntilAsync(async () => await PeersAsync("mesh_pool_leases") == 0, Limit, () => $"peers hold leases\n{regions.Logs}");
        Assert.InRange(leases.TotalSeconds, 0, 15);
        var stopped = await Poll.UntilAsync(async () => await RunningAsync() == 0, Limit, () => $"model servers still compute\n{regions.Logs}");
        output.WriteLine($"leases of the peers returned after {leases.TotalMilliseconds:0} ms, their model servers stopped after {(leases + stopped).TotalMilliseconds:0} ms");
        await Poll.UntilAsync(
            async () => await regions.All[0].MetricAsync("mesh_pool_leases") == 0 && await regions.All[0].MetricAsync("mesh_peer_forwarded_in_flight_requests") == 0, Limit, () => regions.Logs);
    }

    private static async Task<bool> HoldsAsync(Func<Task<bool>> holds, TimeSpan limit)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(began) < limit)
        {
            if (await holds()) return true;
            await Task.Delay(20);
        }

        return false;
    }

    private async Task<double> PeersAsync(string metric) => await regions.All[1].MetricAsync(metric) + await regions.All[2].MetricAsync(metric);

    /// <summary>Requests that the peers' model servers say they compute.</summary>
    private async Task<double> RunningAsync()
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        var running = 0.0;
        foreach (var region in new[] { 1, 2 })
        {
            foreach (var server in new[] { 1, 2 })
            {
                var page = await client.GetStringAsync(new Uri($"http://{regions.Manifests.Networks[region]}{server}:8000/metrics"));
                foreach (var line in page.Split('\n').Where(l => l.StartsWith("vllm:num_requests_running", StringComparison.Ordinal)))
                    running += double.Parse(line[(line.LastIndexOf(' ') + 1)..], System.Globalization.CultureInfo.InvariantCulture);
            }
        }

        return running;
    }
}
