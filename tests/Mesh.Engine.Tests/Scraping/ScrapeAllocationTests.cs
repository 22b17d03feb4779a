using System.Net;
using System.Net.Sockets;
using System.Text;
using Mesh.Bench.Scraping;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Engine.Scraping;
using Mesh.Engine.Telemetry;

namespace Mesh.Engine.Tests.Scraping;

/// <summary>Budgets in bytes, which hold on any machine; alone, because a whole scrape runs on several threads.</summary>
[Collection(nameof(AloneCollection))]
public sealed class ScrapeAllocationTests
{
    private const int Scrapes = 500;
    private static readonly byte[] Page = new VllmPage().Make();

    [Fact]
    public void Page_OfOneEngine_IsOfTheSizeOfRealOnes() => Assert.InRange(Page.Length, 50_000, 70_000);

    [Fact]
    public void Parse_RealSizedPages_AllocatesNothing()
    {
        var parser = new MetricsPageParser([new MetricExportConfig("vllm:num_preemptions_total", "preemptions")]);
        byte[][] pages = [Page, new VllmPage { Engines = 4, Requests = 181_000 }.Make()];
        foreach (var page in pages) parser.Parse(page);

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++) parser.Parse(pages[i & 1]);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public async Task Scrape_RealSizedPage_AllocatesOnlyItsSample()
    {
        // The server is a thread of its own that allocates nothing either.
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        byte[] answer = [.. Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {Page.Length}\r\n\r\n"), .. Page];
        var server = new Thread(() => Serve(listener, answer)) { IsBackground = true };
        server.Start();
        using var metrics = new EngineMetrics();
        var endpoint = new EndpointConfig { Id = new EndpointId(listener.LocalEndPoint!.ToString()!), PodName = "pod" };
        using var scraper = new EndpointScraper(endpoint.Id, new EngineOptions { ScrapeTimeout = TimeSpan.FromSeconds(20) }, TimeProvider.System, metrics);
        for (var i = 0; i < 200; i++) await ScrapeAsync();

        var least = long.MaxValue;
        for (var round = 0; round < 3; round++)
        {
            var before = GC.GetTotalAllocatedBytes(precise: true);
            for (var i = 0; i < Scrapes; i++) await ScrapeAsync();
            least = Math.Min(least, (GC.GetTotalAllocatedBytes(precise: true) - before) / Scrapes);
        }

        Assert.InRange(least, 1, 1024);

        async ValueTask ScrapeAsync()
        {
            var (sample, failure) = await scraper.ScrapeAsync(endpoint, default);
            Assert.Equal("success", failure.Message);
            Assert.Equal(37, sample!.RunningRequests);
        }
    }

    private static void Serve(Socket listener, byte[] answer)
    {
        using var socket = listener.Accept();
        var buffer = new byte[4096];
        var length = 0;
        while (true)
        {
            var read = socket.Receive(buffer.AsSpan(length));
            if (read == 0) return;
            length += read;
            if (!buffer.AsSpan(0, length).EndsWith("\r\n\r\n"u8)) continue;
            length = 0;
            for (var sent = 0; sent < answer.Length;) sent += socket.Send(answer.AsSpan(sent));
        }
    }
}
