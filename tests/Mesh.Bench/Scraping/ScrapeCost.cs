using System.Diagnostics;
using System.Globalization;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Engine;
using Mesh.Engine.Http;
using Mesh.Engine.Monitoring;
using Mesh.Engine.Scraping;
using Mesh.Engine.Telemetry;

namespace Mesh.Bench.Scraping;

/// <summary>
/// CPU of this process while it scrapes, user and system time together: scrapes back to back, and 100 endpoints at the pace of the engine's
/// loops. The pages come from a process of its own. A pause shows what the process needs when it does nothing.
/// </summary>
internal static class ScrapeCost
{
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Warmup = TimeSpan.FromSeconds(8);

    public static async Task<int> RunAsync()
    {
        using var server = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, [typeof(ScrapeCost).Assembly.Location, "serve-pages"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) != "dotnet") throw new InvalidOperationException("Run through dotnet.");
        var port = int.Parse((await server.StandardOutput.ReadLineAsync())!, CultureInfo.InvariantCulture);

        // Everything is compiled and every connection's buffers are known before anything is measured.
        await BackToBackAsync(port, TimeSpan.FromSeconds(5));
        await GeneralClientAsync(port, TimeSpan.FromSeconds(5));
        await PacedAsync(port, "/busy", new EngineOptions { ScrapeInterval = TimeSpan.FromMilliseconds(50) }, Duration / 2);
        for (var i = 0; i < 3; i++)
        {
            Print("nothing", await MeasureAsync(async () => { await Task.Delay(Duration / 2); return 0; }));
            Print("one endpoint, back to back", await MeasureAsync(() => BackToBackAsync(port, Duration / 2)));
            Print("the same with HttpMessageInvoker", await MeasureAsync(() => GeneralClientAsync(port, Duration / 2)));
            Print("100 crowded endpoints", await PacedAsync(port, "/busy", new EngineOptions(), Duration));
            Print("100 resting endpoints", await PacedAsync(port, "/idle", new EngineOptions(), Duration));
        }

        server.StandardInput.Close();
        await server.WaitForExitAsync();
        return 0;
    }

    private static async Task<int> BackToBackAsync(int port, TimeSpan duration)
    {
        using var metrics = new EngineMetrics();
        var endpoint = Endpoint(port, "/busy");
        using var scraper = new EndpointScraper(endpoint.Id, new EngineOptions(), TimeProvider.System, metrics);
        var started = TimeProvider.System.GetTimestamp();
        var scrapes = 0;
        while (TimeProvider.System.GetElapsedTime(started) < duration)
        {
            await ScrapeAsync(scraper, endpoint);
            scrapes++;
        }

        return scrapes;
    }

    /// <summary>The same with the framework's client, for comparison.</summary>
    private static async Task<int> GeneralClientAsync(int port, TimeSpan duration)
    {
        using var client = new HttpMessageInvoker(new SocketsHttpHandler { UseProxy = false, UseCookies = false, ActivityHeadersPropagator = null });
        var parser = new MetricsPageParser([]);
        var address = new Uri($"http://127.0.0.1:{port}/busy");
        var started = TimeProvider.System.GetTimestamp();
        var scrapes = 0;
        while (TimeProvider.System.GetElapsedTime(started) < duration)
        {
            using var deadline = new Deadline(TimeSpan.FromSeconds(1), TimeProvider.System, CancellationToken.None);
            using var request = new HttpRequestMessage(HttpMethod.Get, address);
            using var response = await client.SendAsync(request, deadline.Token);
            using var body = await PooledBody.ReadAsync(response, 4 << 20, deadline.Token);
            parser.Parse(body!.Value.Memory.Span);
            scrapes++;
        }

        return scrapes;
    }

    private static async Task<(int Scrapes, TimeSpan Cpu, TimeSpan Wall, long Allocated)> PacedAsync(int port, string path, EngineOptions options, TimeSpan duration)
    {
        using var metrics = new EngineMetrics();
        using var stop = new CancellationTokenSource();
        var scrapes = 0;
        Task[] loops = [.. Enumerable.Range(1, 100).Select(i => LoopAsync(i * 0.6180339887498949 % 1))];
        // Connections are open and every endpoint has come to its pace.
        await Task.Delay(Warmup);
        scrapes = 0;
        var measured = await MeasureAsync(async () => { await Task.Delay(duration); return scrapes; });
        await stop.CancelAsync();
        await Task.WhenAll(loops);
        return measured;

        async Task LoopAsync(double phase)
        {
            var endpoint = Endpoint(port, path);
            using var scraper = new EndpointScraper(endpoint.Id, options, TimeProvider.System, metrics);
            using var pause = new WakeableDelay(TimeProvider.System);
            var schedule = new ScrapeSchedule(options.ScrapeInterval, options.ScrapeBackOffLimit, phase);
            var origin = TimeProvider.System.GetTimestamp();
            var delay = schedule.First;
            try
            {
                while (true)
                {
                    await pause.WaitAsync(delay, stop.Token);
                    await ScrapeAsync(scraper, endpoint);
                    Interlocked.Increment(ref scrapes);
                    delay = schedule.Next(TimeProvider.System.GetElapsedTime(origin), scraper.Pace.Interval, success: true);
                }
            }
            catch (OperationCanceledException)
            {
            }
        }
    }

    private static async Task ScrapeAsync(EndpointScraper scraper, EndpointConfig endpoint)
    {
        var (sample, failure) = await scraper.ScrapeAsync(endpoint, CancellationToken.None);
        if (sample is null || failure.Kind != IoFailureKind.None) throw new InvalidOperationException(failure.Message);
    }

    private static EndpointConfig Endpoint(int port, string path) => new()
    {
        Id = new EndpointId($"127.0.0.1:{port}"),
        PodName = "pod",
        MetricsPages = [new MetricsPageConfig(port, path, [])],
    };

    private static async Task<(int Scrapes, TimeSpan Cpu, TimeSpan Wall, long Allocated)> MeasureAsync(Func<Task<int>> work)
    {
        var (cpu, allocated, started) = (Environment.CpuUsage.TotalTime, GC.GetTotalAllocatedBytes(), TimeProvider.System.GetTimestamp());
        var scrapes = await work();
        return (scrapes, Environment.CpuUsage.TotalTime - cpu, TimeProvider.System.GetElapsedTime(started), GC.GetTotalAllocatedBytes() - allocated);
    }

    private static void Print(string what, (int Scrapes, TimeSpan Cpu, TimeSpan Wall, long Allocated) m)
    {
        var each = m.Scrapes == 0 ? "" : $", {m.Cpu.TotalMicroseconds / m.Scrapes:0} us and {m.Allocated / m.Scrapes} B each";
        Console.WriteLine($"{what}: {m.Scrapes / m.Wall.TotalSeconds:0} scrapes/s, {m.Cpu / m.Wall:0.000} cores{each}");
    }
}
