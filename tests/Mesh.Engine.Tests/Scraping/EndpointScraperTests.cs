using System.Collections.Concurrent;
using System.Text;
using Mesh.Bench.Scraping;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Engine.Http;
using Mesh.Engine.Scraping;
using Mesh.Engine.Telemetry;
using Microsoft.AspNetCore.Http;

namespace Mesh.Engine.Tests.Scraping;

public sealed class EndpointScraperTests : IDisposable
{
    private const string Page = "vllm:kv_cache_usage_perc{engine=\"0\"} 0.25\nvllm:num_requests_waiting 2\nvllm:num_requests_running 5\n";
    private readonly EngineMetrics _metrics = new();
    private readonly EngineOptions _options = new() { ScrapeTimeout = TimeSpan.FromMilliseconds(500), MaxMetricsPageBytes = 100_000 };

    public void Dispose() => _metrics.Dispose();

    [Fact]
    public async Task Scrape_NoPagesConfigured_ReadsMetricsOnTheOwnPortOverOneConnection()
    {
        var connections = new ConcurrentBag<string>();
        await using var server = await ScriptedServer.StartAsync(context =>
        {
            connections.Add(context.Connection.Id);
            Assert.Equal(("/metrics", "HTTP/1.1"), (context.Request.Path.Value, context.Request.Protocol));
            return context.Response.WriteAsync(Page);
        });
        var scraper = Scraper(server);

        var before = TimeProvider.System.GetTimestamp();
        var (sample, failure) = await scraper.ScrapeAsync(Config(server), default);
        for (var i = 0; i < 4; i++) await scraper.ScrapeAsync(Config(server), default);

        Assert.Equal(IoFailureKind.None, failure.Kind);
        Assert.Equal((0.25, 2, 5), (sample!.KvUtilizationRatio, sample.WaitingRequests, sample.RunningRequests));
        Assert.InRange(sample.Timestamp, before, TimeProvider.System.GetTimestamp());
        Assert.Equal(5, connections.Count);
        Assert.Single(connections.Distinct());
    }

    [Fact]
    public async Task Scrape_TwoPages_MakeOneSampleAsOldAsTheOlder()
    {
        await using var server = await ScriptedServer.StartAsync(new Dictionary<string, Func<string>>
        {
            ["/metrics"] = () => Page,
            ["/dcgm"] = () => "gpu_util 40\nvllm:num_requests_waiting 99\n",
        });
        var config = Config(
            server,
            new MetricsPageConfig(server.Port, "/metrics", [new("vllm:kv_cache_usage_perc", "kv-cache"), new("vllm:gpu_cache_usage_perc", "kv-cache-old")]),
            new MetricsPageConfig(server.Port, "/dcgm", [new("gpu_util", "gpu")]),
            new MetricsPageConfig(server.Port, "/none", []));

        var (sample, failure) = await Scraper(server).ScrapeAsync(config, default);

        Assert.Equal("gpu=40 kv-cache=0.25", string.Join(' ', sample!.NamedMetrics.Select(m => $"{m.Key}={m.Value}")));
        Assert.Equal(2, sample.WaitingRequests);
        Assert.Equal((IoFailureKind.Status, true), (failure.Kind, failure.Message.EndsWith("/none answered 404", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Scrape_RealSizedPage_FillsTheWholeSample()
    {
        var page = new VllmPage { Engines = 2 }.Make();
        await using var server = await ScriptedServer.StartAsync(context => context.Response.Body.WriteAsync(page).AsTask());

        var (sample, failure) = await Scraper(server, new EngineOptions { ScrapeTimeout = TimeSpan.FromSeconds(20) }).ScrapeAsync(Config(server), default);

        Assert.Equal("success", failure.Message);
        Assert.Equal((74, 4, 0.4375, 892_480L), (sample!.RunningRequests, sample.WaitingRequests, sample.KvUtilizationRatio, sample.KvCapacityTokens));
        Assert.Equal((1.78e9 + 0.25, false, 4), (sample.EngineStarted, sample.IsAsleep, sample.MaxLoras));
        Assert.Equal("sql-adapter chat-adapter", string.Join(' ', sample.RunningAdapters));
        Assert.Equal((0.00005, 0.0125), (Math.Round(sample.MeanPrefillSecondsPerToken!.Value, 9), Math.Round(sample.MeanInterTokenSeconds!.Value, 9)));
        Assert.Equal((360_000L, 360_000L * 249), (sample.PrefillObservations, sample.InterTokenObservations));
        Assert.Equal((360_000d * 900, 360_000d * 400), (sample.PrefixCacheQueriedTokens, sample.PrefixCacheHitTokens));
        Assert.Equal(TimeSpan.FromSeconds(1), sample.MaxAge);
    }

    [Fact]
    public async Task Scrape_EngineRestarts_StepTimesBeginAnew()
    {
        var page = new VllmPage().Make();
        await using var server = await ScriptedServer.StartAsync(context => context.Response.Body.WriteAsync(page).AsTask());
        var scraper = Scraper(server, new EngineOptions { ScrapeTimeout = TimeSpan.FromSeconds(20) });
        await scraper.ScrapeAsync(Config(server), default);

        // The new life has counted more than the old one already: only the start of the process tells.
        page = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(new VllmPage { Requests = 181_000 }.Make())
            .Replace("process_start_time_seconds 1780000000.25", "process_start_time_seconds 1780009999.5", StringComparison.Ordinal)
            .Replace("vllm:inter_token_latency_seconds_sum{engine=\"0\",model_name=\"meta-llama/Llama-3.1-8B-Instruct\"} 563362.5", "vllm:inter_token_latency_seconds_sum 4506900.0", StringComparison.Ordinal));
        var (sample, _) = await scraper.ScrapeAsync(Config(server), default);

        Assert.Equal((1780009999.5, 181_000L), (sample!.EngineStarted, sample.PrefillObservations));
        Assert.Equal(0.1, sample.MeanInterTokenSeconds!.Value, 9);
    }

    [Theory]
    [InlineData("huge", IoFailureKind.TooLarge)]
    [InlineData("huge-declared", IoFailureKind.TooLarge)]
    [InlineData("slow", IoFailureKind.Timeout)]
    [InlineData("slow-body", IoFailureKind.Timeout)]
    [InlineData("half", IoFailureKind.Broken)]
    [InlineData("half-chunked", IoFailureKind.Broken)]
    [InlineData("error", IoFailureKind.Status)]
    [InlineData("redirect", IoFailureKind.Status)]
    public async Task Scrape_BadAnswer_GivesNoSampleAndTheReason_ThenRecovers(string fault, object expected)
    {
        var faulty = true;
        await using var server = await ScriptedServer.StartAsync(context => faulty ? AnswerBadly(context, fault) : context.Response.WriteAsync(Page));
        // Only a time-out should end by the clock: a busy machine may take half a second for its first answer.
        var scraper = Scraper(server, expected is IoFailureKind.Timeout ? _options : _options with { ScrapeTimeout = TimeSpan.FromSeconds(20) });

        var (sample, failure) = await scraper.ScrapeAsync(Config(server), default);
        faulty = false;
        var (after, _) = await scraper.ScrapeAsync(Config(server), default);

        Assert.Null(sample);
        Assert.Equal(expected, failure.Kind);
        Assert.NotEqual("success", failure.Message);
        Assert.Equal(0.25, after!.KvUtilizationRatio);
    }

    [Fact]
    public async Task Scrape_NobodyListens_SaysSo()
    {
        var server = await ScriptedServer.StartAsync(new Dictionary<string, Func<string>>());
        await server.KillAsync();

        var (sample, failure) = await Scraper(server).ScrapeAsync(Config(server), default);

        Assert.Null(sample);
        Assert.Equal((IoFailureKind.Connect, "Connection refused"), (failure.Kind, failure.Message));
    }

    [Fact]
    public async Task Scrape_AddressMakesNoSense_SaysSo()
    {
        var scraper = new EndpointScraper(new EndpointId("nonsense"), _options, TimeProvider.System, _metrics);

        var (_, failure) = await scraper.ScrapeAsync(new EndpointConfig { Id = new EndpointId("nonsense"), PodName = "p" }, default);

        Assert.Equal((IoFailureKind.Malformed, "Endpoint 'nonsense' is not of the form ip:port."), (failure.Kind, failure.Message));
    }

    [Fact]
    public async Task Scrape_Cancelled_Throws()
    {
        await using var server = await ScriptedServer.StartAsync(context => AnswerBadly(context, "slow"));
        using var cancel = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await Scraper(server).ScrapeAsync(Config(server), cancel.Token));
    }

    private static async Task AnswerBadly(HttpContext context, string fault)
    {
        switch (fault)
        {
            case "huge-declared":
                context.Response.ContentLength = 200_000;
                await context.Response.Body.WriteAsync(new byte[200_000], context.RequestAborted);
                break;
            case "huge":
                for (var i = 0; i < 20; i++) await context.Response.Body.WriteAsync(new byte[10_000], context.RequestAborted);
                break;
            case "slow":
                await Task.Delay(Timeout.Infinite, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                break;
            case "slow-body":
                await context.Response.WriteAsync(Page, context.RequestAborted);
                await context.Response.Body.FlushAsync(context.RequestAborted);
                await Task.Delay(Timeout.Infinite, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                break;
            case "half" or "half-chunked":
                if (fault == "half") context.Response.ContentLength = Page.Length * 2;
                await context.Response.WriteAsync(Page, context.RequestAborted);
                await context.Response.Body.FlushAsync(context.RequestAborted);
                context.Abort();
                break;
            case "redirect":
                context.Response.Redirect("/elsewhere");
                break;
            default:
                context.Response.StatusCode = 503;
                break;
        }
    }

    private static EndpointConfig Config(ScriptedServer server, params MetricsPageConfig[] pages) =>
        new() { Id = server.Id, PodName = "pod", MetricsPages = [.. pages] };

    private EndpointScraper Scraper(ScriptedServer server, EngineOptions? options = null) => new(server.Id, options ?? _options, TimeProvider.System, _metrics);
}
