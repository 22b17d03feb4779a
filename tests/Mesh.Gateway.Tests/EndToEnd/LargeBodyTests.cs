using System.Diagnostics;
using System.Net;
using System.Text;
using Mesh.Gateway.Tests.Support;
using Mesh.Testing.Net;
using Xunit.Abstractions;

namespace Mesh.Gateway.Tests.EndToEnd;

/// <summary>Bodies of 32 MB beside small requests, in the program itself: only there do the socket threads carry requests on.</summary>
[Collection(AloneCollection.Name)]
public sealed class LargeBodyTests(ITestOutputHelper output)
{
    private const int Bodies = 6;
    private const int WarmUp = 20;

    [Fact]
    public async Task LargeBodies_BesideSmallRequests_DelayThemWithinBounds()
    {
        using var manifests = new ManifestCopy();
        var address = FreePorts.NextAddress();
        using var process = Start("--manifests", manifests.Path, "--simulate", "true", $"--Mesh:Listeners:80={address}", "--Mesh:SimulationSpeed=100");
        try
        {
            while (await process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(20)) is { } line && !line.StartsWith("curl ", StringComparison.Ordinal))
            {
            }

            // Scanned and hashed to its end, and then there is no such model: no endpoint has a part in what is measured.
            var body = Encoding.ASCII.GetBytes("{\"prompt\":\"" + new string('x', (32 << 20) - 64) + "\",\"model\":\"nobody-has-it\"}");
            using var stop = new CancellationTokenSource();
            var small = Enumerable.Range(0, 4).Select(_ => Task.Run(() => MeasureAsync(address, stop.Token))).ToArray();
            using var client = Clients.Create(new Uri($"http://{address}"));
            for (var i = 0; i < Bodies; i++)
            {
                using var content = new ByteArrayContent(body);
                content.Headers.ContentType = new("application/json");
                using var response = await client.PostAsync("/v1/completions", content);
                Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
            }

            await stop.CancelAsync();
            var delays = (await Task.WhenAll(small)).SelectMany(d => d).Order().ToArray();
            output.WriteLine($"{delays.Length} small requests: p50 {delays[delays.Length / 2]:0.00} ms, p99 {delays[delays.Length * 99 / 100]:0.00} ms, longest {delays[^1]:0.00} ms");
            Assert.True(delays.Length > 20, $"{delays.Length} small requests");
            // Wide bounds, for a machine that does other things too: they notice small requests that stop. Which thread scans, TransportTests tell.
            Assert.True(delays[delays.Length * 99 / 100] < 1000, $"p99 {delays[delays.Length * 99 / 100]} ms");
            Assert.True(delays[^1] < 5000, $"longest {delays[^1]} ms");
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync();
        }
    }

    private static async Task<List<double>> MeasureAsync(IPEndPoint address, CancellationToken stop)
    {
        var delays = new List<double>();
        var seen = 0;
        // One connection for all: a thread that is held up shows in every request of it.
        using var client = Clients.Create(new Uri($"http://{address}"));
        while (!stop.IsCancellationRequested)
        {
            var began = TimeProvider.System.GetTimestamp();
            using var response = await client.GetAsync("/healthz", CancellationToken.None);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            // The first ones pay for connections and for code that runs for the first time.
            if (seen++ >= WarmUp) delays.Add(TimeProvider.System.GetElapsedTime(began).TotalMilliseconds);
            await Task.Delay(2, CancellationToken.None);
        }

        return delays;
    }

    private static Process Start(params string[] args)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Path.GetTempPath() };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "Mesh.Gateway.dll"));
        foreach (var arg in args) start.ArgumentList.Add(arg);
        return Process.Start(start)!;
    }
}
