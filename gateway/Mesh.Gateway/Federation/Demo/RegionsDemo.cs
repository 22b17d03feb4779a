using System.Globalization;
using System.Net;
using System.Runtime.InteropServices;
using Mesh.Gateway.Hosting;

namespace Mesh.Gateway.Federation.Demo;

/// <summary>
/// <c>--demo regions</c>: three regions as three processes on this machine, with delays between them as between continents. Says how to load
/// one, and tells where its requests go while they do.
/// </summary>
internal sealed class RegionsDemo(TextWriter output, TextWriter error, TimeProvider time)
{
    private static readonly string[] Names = ["europe-west3", "us-east4", "asia-northeast1"];
    private static readonly string Manifests = Path.Combine("deploy", "examples", "regions");
    private static readonly TimeSpan ReadyLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(2);

    /// <summary>True when the command line asks for the demo, and for nothing beside it: its options are its own.</summary>
    public static bool IsAskedFor(string[] args) => args is ["--demo=regions"] or ["--demo", "regions"];

    /// <summary>Runs until Ctrl-C. 0 after that, 1 when a region could not start.</summary>
    public async Task<int> RunAsync()
    {
        var manifests = QuickStart.Find(Manifests) ?? throw new GatewayConfigurationException($"The demo's manifests ({Manifests}) are not here.");
        using var stop = new CancellationTokenSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, c => Stop(c, stop));
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, c => Stop(c, stop));
        var state = Directory.CreateTempSubdirectory("mesh-demo-").FullName;
        var regions = Names.Select((n, i) => new DemoRegion(n, i)).ToArray();
        var relays = new List<DelayRelay>();
        try
        {
            await output.WriteLineAsync("Starting three regions; each has two simulated model servers that take 8 requests at a time.");
            foreach (var region in regions) region.Start(manifests, state, Ways(region, regions, relays), output);
            if (!await AreReadyAsync(regions, stop.Token)) return stop.IsCancellationRequested ? 0 : 1;
            Explain(regions);
            await WatchAsync(regions, stop.Token);
            return 0;
        }
        finally
        {
            await Task.WhenAll(regions.Select(r => r.StopAsync(time)));
            foreach (var relay in relays) await relay.DisposeAsync();
            foreach (var region in regions) region.Dispose();
            Directory.Delete(state, recursive: true);
            await output.WriteLineAsync("All regions have ended.");
        }
    }

    /// <summary>One way between two regions.</summary>
    internal static TimeSpan Delay(string from, string to) => TimeSpan.FromMilliseconds(
        (from, to) is ("europe-west3", "us-east4") or ("us-east4", "europe-west3") ? 40 : from == "us-east4" || to == "us-east4" ? 60 : 75);

    private static void Stop(PosixSignalContext context, CancellationTokenSource stop)
    {
        // The regions are ended in order first.
        context.Cancel = true;
        stop.Cancel();
    }

    private List<(string Name, IPEndPoint Address)> Ways(DemoRegion from, DemoRegion[] regions, List<DelayRelay> relays)
    {
        var ways = new List<(string, IPEndPoint)>();
        foreach (var to in regions)
        {
            if (ReferenceEquals(from, to)) continue;
            var relay = new DelayRelay(new IPEndPoint(IPAddress.Loopback, 0), to.Peers, Delay(from.Name, to.Name), time);
            relays.Add(relay);
            ways.Add((to.Name, relay.Address));
        }

        return ways;
    }

    private async Task<bool> AreReadyAsync(DemoRegion[] regions, CancellationToken stop)
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(2) };
        var began = time.GetTimestamp();
        foreach (var region in regions)
        {
            while (!await IsReadyAsync(client, region))
            {
                if (stop.IsCancellationRequested) return false;
                if (region.HasEnded)
                {
                    await Report(region);
                    return false;
                }

                if (time.GetElapsedTime(began) > ReadyLimit)
                {
                    await error.WriteLineAsync($"Region {region.Name} was not ready within {ReadyLimit.TotalSeconds:0} s.");
                    return false;
                }

                await Task.Delay(TimeSpan.FromMilliseconds(200), time, CancellationToken.None);
            }
        }

        return true;
    }

    private static async Task<bool> IsReadyAsync(HttpClient client, DemoRegion region)
    {
        try
        {
            using var response = await client.GetAsync(new Uri($"http://{region.Admin}/readyz"));
            return response.IsSuccessStatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            return false;
        }
    }

    private void Explain(DemoRegion[] regions)
    {
        output.WriteLine();
        foreach (var region in regions) output.WriteLine($"  {region.Name,-16} http://{region.Listener}   dashboard http://{region.Admin}/dashboard   process {region.ProcessId}");
        output.WriteLine();
        output.WriteLine("  one way: " + string.Join(", ", Pairs(regions).Select(p => $"{p.From} - {p.To} {Delay(p.From, p.To).TotalMilliseconds:0} ms")));
        output.WriteLine();
        output.WriteLine("Load one of them beyond what it takes (16 at a time), and watch the rest go to the others:");
        output.WriteLine();
        output.WriteLine($"  dotnet run -c Release --project src/Mesh.Cli -- load http://{regions[0].Listener} --model food-review-1 --rate 25 --duration 60s");
        output.WriteLine();
        output.WriteLine("Where its requests go is told here while they do; the links, credits and round trips too:");
        output.WriteLine();
        output.WriteLine($"  dotnet run -c Release --project src/Mesh.Cli -- get regions -w --server http://{regions[0].Admin}");
        output.WriteLine($"  curl -s http://{regions[0].Admin}/metrics | grep -E 'mesh_(peer|forwarded)'");
        output.WriteLine();
        output.WriteLine($"Kill one, for example by kill -9 {regions[1].ProcessId}, to see the others go on. Ctrl-C ends all.");
        output.WriteLine();
    }

    private static IEnumerable<(string From, string To)> Pairs(DemoRegion[] regions)
    {
        for (var i = 0; i < regions.Length; i++)
        {
            for (var j = i + 1; j < regions.Length; j++) yield return (regions[i].Name, regions[j].Name);
        }
    }

    private async Task WatchAsync(DemoRegion[] regions, CancellationToken stop)
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(2) };
        var before = regions.Select(_ => new SortedDictionary<string, double>(StringComparer.Ordinal)).ToArray();
        var told = new bool[regions.Length];
        while (!stop.IsCancellationRequested)
        {
            await Task.Delay(Tick, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            for (var i = 0; i < regions.Length && !stop.IsCancellationRequested; i++)
            {
                if (regions[i].HasEnded)
                {
                    if (!told[i]) await Report(regions[i]);
                    told[i] = true;
                    continue;
                }

                if (await PlacedAsync(client, regions[i]) is not { } now) continue;
                var lines = now.Select(p => (p.Key, Count: p.Value - before[i].GetValueOrDefault(p.Key))).Where(p => p.Count > 0)
                    .Select(p => $"{p.Count:0} {(p.Key == regions[i].Name ? "here" : p.Key.Length > 0 ? "to " + p.Key : "refused")}").ToArray();
                before[i] = now;
                if (lines.Length > 0) await output.WriteLineAsync($"{regions[i].Name,-16} placed in the last {Tick.TotalSeconds:0} s: {string.Join(", ", lines)}");
            }
        }
    }

    private async Task Report(DemoRegion region)
    {
        await error.WriteLineAsync($"Region {region.Name} has ended with exit code {region.ExitCode}. Its last lines:");
        foreach (var line in region.LastLines) await error.WriteLineAsync($"  {line}");
    }

    /// <summary>Placements so far by region; null when they cannot be had.</summary>
    private static async Task<SortedDictionary<string, double>?> PlacedAsync(HttpClient client, DemoRegion region)
    {
        try
        {
            var page = await client.GetStringAsync(new Uri($"http://{region.Admin}/metrics"));
            var placed = new SortedDictionary<string, double>(StringComparer.Ordinal);
            foreach (var line in page.Split('\n'))
            {
                const string Label = "region=\"";
                if (!line.StartsWith("mesh_decisions_total{", StringComparison.Ordinal)) continue;
                var from = line.IndexOf(Label, StringComparison.Ordinal) + Label.Length;
                var name = line[from..line.IndexOf('"', from)];
                var value = double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture);
                placed[name] = placed.GetValueOrDefault(name) + value;
            }

            return placed;
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            return null;
        }
    }
}
