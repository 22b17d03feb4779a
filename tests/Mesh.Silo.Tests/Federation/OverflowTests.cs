using Mesh.Regions.Tests.Support;
using Xunit.Abstractions;
using RegionalManifests = Mesh.Regions.Tests.Support.RegionManifests;

namespace Mesh.Silo.Tests.Federation;

/// <summary>A region of silos and one of a single gateway share load, as two of the latter would.</summary>
public abstract class OverflowTests(TwoRegions regions, ITestOutputHelper output)
{
    // Long enough that reports pass many times while a request runs.
    private const int Tokens = 300;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    protected TwoRegions Regions => regions;

    protected ITestOutputHelper Output => output;

    [RegionFact]
    public void Subscriptions_TwoSilosAndTwoGateways_OneToThePeerAndOneBack()
    {
        Assert.Equal(1, regions.ConnectionsToThePeer);
        Assert.Equal(1, regions.ConnectionsFromThePeer);
    }

    [RegionFact]
    public async Task Load_AtBothGatewaysOfTheSilos_OverflowsToThePeer()
    {
        await using var first = new Load(regions.Gateways[0].Listener, TwoRegions.Capacity, Tokens);
        await SharesAsync(regions.OfSilos, TwoRegions.Capacity);
        await using var second = new Load(regions.Gateways[1].Listener, TwoRegions.Capacity / 2, Tokens);
        await SharesAsync(regions.OfSilos, TwoRegions.Capacity * 3 / 2);
        await first.StopAsync();
        await second.StopAsync();

        var all = first.Requests.Concat(second.Requests).ToArray();
        Assert.All(all, r => Assert.Equal(EndKind.Answered, r.Kind));
        Assert.Contains(all, r => r.Served!.StartsWith(regions.Network(regions.OfEngine), StringComparison.Ordinal));
        await NoLeaseIsLeftAsync();
    }

    [RegionFact]
    public async Task Load_AtThePeer_OverflowsToTheSilos()
    {
        await using var load = new Load(regions.Embedded.Listener, TwoRegions.Capacity * 3 / 2, Tokens);
        await SharesAsync(regions.OfEngine, TwoRegions.Capacity * 3 / 2);
        await load.StopAsync();

        Assert.All(load.Requests, r => Assert.Equal(EndKind.Answered, r.Kind));
        Assert.Contains(load.Requests, r => r.Served!.StartsWith(regions.Network(regions.OfSilos), StringComparison.Ordinal));
        await NoLeaseIsLeftAsync();
    }

    [RegionFact]
    public async Task KillSilo_ThatStandsForTheRegion_AnotherDoesAndNothingIsLost()
    {
        await using var there = new Load(regions.Gateways[0].Listener, TwoRegions.Capacity * 3 / 2, Tokens);
        await SharesAsync(regions.OfSilos, TwoRegions.Capacity * 3 / 2);
        var spokesman = await regions.SpokesmanAsync();
        var began = TimeProvider.System.GetTimestamp();
        spokesman.Kill();
        var most = 0.0;
        await Poll.UntilAsync(
            async () =>
            {
                most = Math.Max(most, await InFlightAtThePeerAsync());
                return await regions.SpokesmanAsync() is var now && now != spokesman && await regions.Embedded.IsLinkedAsync(1);
            },
            Patience, regions.Logs);
        output.WriteLine($"another silo stands for the region, and the peer hears it, after {TimeProvider.System.GetElapsedTime(began).TotalSeconds:F1} s");
        for (var i = 0; i < 40; i++)
        {
            most = Math.Max(most, await InFlightAtThePeerAsync());
            await Task.Delay(50);
        }

        await SharesAsync(regions.OfSilos, TwoRegions.Capacity * 3 / 2);
        await there.StopAsync();

        Assert.All(there.Requests, r => Assert.Contains(r.Kind, new[] { EndKind.Answered, EndKind.Refused }));
        output.WriteLine($"{there.Requests.Count} requests, {there.Requests.Count(r => r.Kind == EndKind.Refused)} refused; at most {most} at the peer");
        // Credits are what is free there. Counted twice, there would be all that finds no room at home; while the pool begins anew it may know of no room at home.
        Assert.InRange(most, 1, TwoRegions.Capacity * 5 / 4);
        spokesman.Start();
        await regions.LinkedAsync();
        await NoLeaseIsLeftAsync();
    }

    [RegionFact]
    public async Task Machines_OfTheSilos_StandInTheGatewaysLiveState()
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        var told = "";
        await Poll.UntilAsync(
            async () =>
            {
                told = await FirstEventAsync(client, new Uri($"http://{regions.Gateways[1].Admin}/api/v1/events"));
                return told.Contains("\"machines\"", StringComparison.Ordinal) && told.Contains("\"pool\",\"default/llama\",\"127.0.0.1:", StringComparison.Ordinal)
                    && told.Contains($"\"region\",\"{RegionalManifests.Regions[regions.OfSilos]}\",\"127.0.0.1:", StringComparison.Ordinal);
            },
            Patience, () => $"{told}\n{regions.Logs()}");
    }

    [RegionFact]
    public async Task Configuration_EditInItsRegion_IsInForceEverywhere()
    {
        var gateways = regions.Gateways.Append(regions.Embedded).ToArray();
        var before = new List<double>();
        foreach (var gateway in gateways) before.Add(await gateway.MetricAsync("mesh_config_version"));
        var old = File.ReadAllText(Path.Combine(regions.Manifests.Path, RegionalManifests.Regions[0], "gke-europe", "backend-policy.yaml"))
            .Contains("timeoutSec: 100", StringComparison.Ordinal) ? (100, 90) : (90, 100);
        regions.Manifests.Edit("backend-policy.yaml", $"timeoutSec: {old.Item1}", $"timeoutSec: {old.Item2}");

        for (var i = 0; i < gateways.Length; i++)
        {
            var (gateway, version) = (gateways[i], before[i]);
            await Poll.UntilAsync(async () => await gateway.MetricAsync("mesh_config_version") > version, Patience, () => $"{gateway.Name} goes by the old configuration.\n{regions.Logs()}");
        }

        var told = await regions.Embedded.MetricAsync("mesh_peer_config_version");
        Assert.InRange(told, 1, double.MaxValue);
        Assert.Equal(told, await regions.Gateways[0].MetricAsync("mesh_peer_config_version"));
    }

    private static async Task<string> FirstEventAsync(HttpClient client, Uri uri)
    {
        using var response = await client.GetAsync(uri, HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        while (await reader.ReadLineAsync() is { } line)
        {
            if (line.StartsWith("data:", StringComparison.Ordinal)) return line;
        }

        return "";
    }

    // The home is full, and the rest is at the peer.
    private async Task SharesAsync(int home, int clients)
    {
        double[] shares = [];
        await Poll.UntilAsync(
            async () =>
            {
                shares = await MedianAsync();
                return Math.Abs(shares[home] - TwoRegions.Capacity) <= 2 && Math.Abs(shares[1 - home] - (clients - TwoRegions.Capacity)) <= 2;
            },
            Patience, () => $"{string.Join(" / ", shares)}\n{regions.Logs()}");
        output.WriteLine($"{clients} clients: {string.Join(" / ", shares)}");
    }

    private async Task<double[]> MedianAsync()
    {
        var samples = new List<double>[] { [], [] };
        for (var i = 0; i < 20; i++)
        {
            samples[regions.OfEngine].Add(await InFlightAtThePeerAsync());
            samples[regions.OfSilos].Add(await regions.Gateways[0].MetricAsync("mesh_backend_in_flight_requests"));
            await Task.Delay(30);
        }

        return [.. samples.Select(s => s.Order().ElementAt(s.Count / 2))];
    }

    private Task<double> InFlightAtThePeerAsync() => regions.Embedded.MetricAsync("mesh_backend_in_flight_requests");

    protected async Task NoLeaseIsLeftAsync()
    {
        await Poll.UntilAsync(async () => await regions.LeasesAsync() == 0, Patience, regions.Logs);
        await Poll.UntilAsync(async () => await regions.Embedded.MetricAsync("mesh_pool_leases") == 0, Patience, regions.Logs);
    }
}

/// <summary>The silos' pool has two shards: to the other region it is one, and what that grants goes to whichever has need of it.</summary>
[Collection(RegionsCollection.Name)]
public sealed class OverflowWithShardsTests(SilosWithShards regions, ITestOutputHelper output) : OverflowTests(regions, output), IClassFixture<SilosWithShards>
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [RegionFact]
    public async Task Peer_LeavesTheManifestsAndComesBack_WithoutARestart()
    {
        regions.NamePeer(false);
        foreach (var gateway in regions.Gateways)
        {
            await Poll.UntilAsync(async () => !(await gateway.PageAsync("/metrics") ?? "mesh_peer_state{").Contains("mesh_peer_state{", StringComparison.Ordinal), Limit, regions.Logs);
        }

        await Poll.UntilAsync(async () => await regions.Embedded.MetricAsync("mesh_peer_state", "state=\"healthy\"") == 0, Limit, regions.Logs);
        // Alone it serves what it can.
        await using (var load = new Load(regions.Gateways[0].Listener, 4, 20))
        {
            await Poll.UntilAsync(() => Task.FromResult(load.Requests.Count >= 20), Limit, regions.Logs);
            await load.StopAsync();
            Assert.All(load.Requests, r => Assert.Equal(EndKind.Answered, r.Kind));
        }

        regions.NamePeer(true);
        await regions.LinkedAsync();
    }
}

/// <summary>Regions of whole processes: one after the other.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class RegionsCollection
{
    public const string Name = "regions";
}

/// <summary>The silos get the configuration from the other region.</summary>
[Collection(RegionsCollection.Name)]
public sealed class OverflowWithoutConfigurationTests(SilosWithoutConfiguration regions, ITestOutputHelper output) : OverflowTests(regions, output), IClassFixture<SilosWithoutConfiguration>;

/// <summary>The other region gets the configuration from the silos.</summary>
[Collection(RegionsCollection.Name)]
public sealed class OverflowWithConfigurationTests(SilosWithConfiguration regions, ITestOutputHelper output) : OverflowTests(regions, output), IClassFixture<SilosWithConfiguration>
{
    private const int ShortTokens = 60;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Steady = TimeSpan.FromSeconds(1);

    // A machine that is busy with other things starts and hears late whatever happens.
    private static readonly TimeSpan LongestWithoutLink = TimeSpan.FromSeconds(Environment.GetEnvironmentVariable("MESH_LONG") == "1" ? 2 : 12);

    [RegionFact]
    public Task StopSilo_ThatStandsForTheRegion_NothingIsLostOrRefused() => LeaveAsync("stopped", silo => silo.StopAsync(Patience));

    [RegionFact]
    public Task KillSilo_ThatStandsForTheRegion_NothingIsLostOrRefused() => LeaveAsync("killed", silo =>
    {
        silo.Kill();
        return Task.CompletedTask;
    });

    // Both regions have room for what is sent to them, and take a little from each other now and then.
    private async Task LeaveAsync(string how, Func<RegionProcess, Task> leave)
    {
        var spokesman = await Regions.SpokesmanAsync();
        var edited = await Regions.Embedded.MetricAsync("mesh_config_version");
        await using var first = new Load(Regions.Gateways[0].Listener, TwoRegions.Capacity / 4, ShortTokens);
        await using var second = new Load(Regions.Gateways[1].Listener, TwoRegions.Capacity / 4, ShortTokens);
        await using var peer = new Load(Regions.Embedded.Listener, TwoRegions.Capacity / 4, ShortTokens);
        await Task.Delay(Steady);
        using var end = new CancellationTokenSource();
        var watching = WatchAsync(end.Token);

        var began = TimeProvider.System.GetTimestamp();
        await leave(spokesman);
        await Poll.UntilAsync(
            async () => await Regions.SpokesmanAsync() != spokesman && await Regions.Embedded.IsLinkedAsync(1) && await Regions.Gateways[0].IsLinkedAsync(1) && await Regions.Gateways[1].IsLinkedAsync(1),
            Patience, Regions.Logs);
        var took = TimeProvider.System.GetElapsedTime(began);
        await Task.Delay(Steady);
        await end.CancelAsync();
        var silence = await watching;
        Load[] loads = [first, second, peer];
        foreach (var load in loads) await load.StopAsync();

        var all = loads.SelectMany(l => l.Requests).ToArray();
        Output.WriteLine($"{how}: another stands for the region and all are linked after {took.TotalSeconds:F2} s; the peer heard nothing for {silence.TotalSeconds:F2} s at most; {all.Length} requests, the longest {all.Max(r => r.Took).TotalMilliseconds:F0} ms");
        Assert.All(all, r => Assert.True(r.Kind == EndKind.Answered, $"{r}\n{Regions.Logs()}"));
        Assert.True(silence < LongestWithoutLink, $"the peer heard nothing for {silence.TotalSeconds:F1} s");
        spokesman.Start();
        await Regions.LinkedAsync();
        // The silo that stands for the region now goes on giving the same configuration out.
        Assert.InRange(await Regions.Embedded.MetricAsync("mesh_config_version"), edited, double.MaxValue);
        await NoLeaseIsLeftAsync();
    }

    // Age of the newest report that the peer has from the silos' region, at its highest.
    private async Task<TimeSpan> WatchAsync(CancellationToken end)
    {
        var longest = 0.0;
        while (!end.IsCancellationRequested)
        {
            longest = Math.Max(longest, await Regions.Embedded.MetricAsync("mesh_peer_report_age_seconds"));
            await Task.Delay(20, end).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return TimeSpan.FromSeconds(longest);
    }
}
