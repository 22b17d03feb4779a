using System.Collections.Immutable;
using System.Net;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Engine.Http;
using Mesh.Engine.Telemetry;

namespace Mesh.Engine.Scraping;

/// <summary>
/// Reads the pages of metrics of one endpoint into one sample. The pages that the configuration names are read, or vLLM's page on the
/// endpoint's own port when it names none. Used by one loop at a time.
/// </summary>
internal sealed class EndpointScraper(EndpointId endpoint, HttpMessageInvoker client, EngineOptions options, TimeProvider time, EngineMetrics metrics)
{
    private static readonly MetricsPageConfig DefaultPage = new(Port: 0, "/metrics", []);
    private ImmutableArray<MetricsPageConfig> _configured;
    private Page[] _pages = [];

    /// <summary>Reads every page once. The sample is as old as its oldest page and lacks what a failed page would have told.</summary>
    /// <returns>The sample, null when every page failed, and the first failure.</returns>
    public async Task<(EndpointSample? Sample, IoFailure Failure)> ScrapeAsync(EndpointConfig config, CancellationToken cancellationToken)
    {
        UsePages(config.MetricsPages);
        EndpointSample? sample = null;
        IoFailure failure = default;
        foreach (var page in _pages)
        {
            var started = time.GetTimestamp();
            var outcome = await ReadAsync(page, cancellationToken).ConfigureAwait(false);
            metrics.Scraped(outcome.Kind, time.GetElapsedTime(started));
            if (outcome.Kind == IoFailureKind.None) sample = Merge(sample, page);
            else if (failure.Kind == IoFailureKind.None) failure = outcome;
        }

        return (sample, failure);
    }

    private async Task<IoFailure> ReadAsync(Page page, CancellationToken cancellationToken)
    {
        using var deadline = new Deadline(options.ScrapeTimeout, time, cancellationToken);
        try
        {
            page.Address ??= EndpointUri.Create(endpoint, "http", page.Config.Port == 0 ? null : page.Config.Port, page.Config.Path);
            using var request = new HttpRequestMessage(HttpMethod.Get, page.Address)
            {
                Version = HttpVersion.Version11,
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            };
            using var response = await client.SendAsync(request, deadline.Token).ConfigureAwait(false);
            // What the page says is true as of the moment at which the answer came, not of its end.
            page.AnsweredAt = time.GetTimestamp();
            if (response.StatusCode != HttpStatusCode.OK)
                return new IoFailure(IoFailureKind.Status, $"{page.Address} answered {(int)response.StatusCode}");

            using var body = await PooledBody.ReadAsync(response, options.MaxMetricsPageBytes, deadline.Token).ConfigureAwait(false);
            if (body is null) return new IoFailure(IoFailureKind.TooLarge, $"{page.Address} is larger than {options.MaxMetricsPageBytes} bytes");
            page.Parser.Parse(body.Value.Memory.Span);
            return default;
        }
        catch (Exception e) when (IoFailure.IsExpected(e))
        {
            cancellationToken.ThrowIfCancellationRequested();
            return IoFailure.From(e, options.ScrapeTimeout);
        }
    }

    private EndpointSample Merge(EndpointSample? earlier, Page page)
    {
        return new EndpointSample
        {
            Endpoint = endpoint,
            Timestamp = Math.Min(earlier?.Timestamp ?? long.MaxValue, page.AnsweredAt),
            KvUtilizationRatio = earlier?.KvUtilizationRatio ?? page.Parser.KvUtilizationRatio,
            RunningRequests = earlier?.RunningRequests ?? page.Parser.RunningRequests,
            WaitingRequests = earlier?.WaitingRequests ?? page.Parser.WaitingRequests,
            KvCapacityTokens = earlier?.KvCapacityTokens ?? page.Parser.KvCapacityTokens,
            EngineStarted = earlier?.EngineStarted ?? StartOf(page),
            IsAsleep = (earlier?.IsAsleep ?? false) || page.Parser.IsAsleep,
            MaxLoras = earlier?.MaxLoras ?? page.Parser.MaxLoras,
            RunningAdapters = earlier is { MaxLoras: not null } ? earlier.RunningAdapters : page.Parser.RunningAdapters,
            WaitingAdapters = earlier is { MaxLoras: not null } ? earlier.WaitingAdapters : page.Parser.WaitingAdapters,
            NamedMetrics = Exports(earlier, page),
        };
    }

    private static ImmutableSortedDictionary<string, double> Exports(EndpointSample? earlier, Page page)
    {
        var before = earlier?.NamedMetrics ?? ImmutableSortedDictionary<string, double>.Empty;
        if (!page.Parser.HasExports) return before;
        var named = before.ToBuilder();
        page.Parser.CopyExports(named);
        return named.ToImmutable();
    }

    private double? StartOf(Page page)
    {
        // Other exporters tell the start of their own process, which says nothing about the engine.
        if (page.Parser.RunningRequests is null && page.Parser.PromptTokens is null) return null;
        page.Start.Observe(
            page.Parser.ProcessStart, page.Parser.PromptTokens, page.Parser.FinishedRequests, time.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0);
        return page.Start.Seconds;
    }

    private void UsePages(ImmutableArray<MetricsPageConfig> configured)
    {
        if (_pages.Length > 0 && configured == _configured) return;
        _configured = configured;
        _pages = configured.IsDefaultOrEmpty ? [new Page(DefaultPage)] : [.. configured.Select(c => new Page(c))];
    }

    private sealed class Page(MetricsPageConfig config)
    {
        public MetricsPageConfig Config { get; } = config;

        public MetricsPageParser Parser { get; } = new(config.Exports.IsDefault ? [] : config.Exports);

        public EngineStart Start { get; } = new();

        public Uri? Address { get; set; }

        public long AnsweredAt { get; set; }
    }
}
