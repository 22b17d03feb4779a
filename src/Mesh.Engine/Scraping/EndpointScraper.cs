using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Engine.Http;
using Mesh.Engine.Http.Pages;
using Mesh.Engine.Telemetry;

namespace Mesh.Engine.Scraping;

/// <summary>
/// Reads the pages of metrics of one endpoint into one sample, and knows how soon it should be read again. The pages that the configuration
/// names are read, or vLLM's page on the endpoint's own port when it names none. Used by one loop at a time. Once the pages have been read a
/// few times, the sample is all that a scrape allocates.
/// </summary>
internal sealed class EndpointScraper(EndpointId endpoint, EngineOptions options, TimeProvider time, EngineMetrics metrics) : IDisposable
{
    private static readonly MetricsPageConfig DefaultPage = new(Port: 0, "/metrics", []);
    private readonly ReusableDeadline _deadline = new(time);
    private ImmutableArray<MetricsPageConfig> _configured;
    private Page[] _pages = [];

    /// <summary>How often the endpoint should be scraped.</summary>
    public ScrapePace Pace { get; } = new(options);

    /// <summary>Reads every page once. The sample is as old as its oldest page and lacks what a failed page would have told.</summary>
    /// <returns>The sample, null when every page failed, and the first failure.</returns>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<(EndpointSample? Sample, IoFailure Failure)> ScrapeAsync(EndpointConfig config, CancellationToken cancellationToken)
    {
        UsePages(config.MetricsPages);
        IoFailure failure = default;
        foreach (var page in _pages)
        {
            var started = time.GetTimestamp();
            var outcome = await ReadAsync(page, cancellationToken).ConfigureAwait(false);
            metrics.Scraped(outcome.Kind, time.GetElapsedTime(started));
            page.IsRead = outcome.Kind == IoFailureKind.None;
            if (failure.Kind == IoFailureKind.None) failure = outcome;
        }

        return (Sample(), failure);
    }

    public void Dispose()
    {
        foreach (var page in _pages) page.Dispose();
        _deadline.Dispose();
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<IoFailure> ReadAsync(Page page, CancellationToken cancellationToken)
    {
        try
        {
            var connection = page.Connection ??= Connect(page.Config);
            var failure = await connection.GetAsync(_deadline.Begin(options.ScrapeTimeout, cancellationToken)).ConfigureAwait(false);
            if (failure.Kind == IoFailureKind.None) page.Parser.Parse(connection.Body);
            return failure;
        }
        catch (Exception e) when (IoFailure.IsExpected(e))
        {
            cancellationToken.ThrowIfCancellationRequested();
            return IoFailure.From(e, options.ScrapeTimeout);
        }
        finally
        {
            page.Connection?.Release();
            _deadline.End();
        }
    }

    private PageConnection Connect(MetricsPageConfig page)
    {
        int? port = page.Port == 0 ? null : page.Port;
        // Another port of the pod is another server, which need not speak TLS.
        var security = port is null ? options.Security?.Invoke(endpoint) : null;
        var address = EndpointUri.Create(endpoint, security is null ? "http" : "https", port, page.Path);
        return new PageConnection(address, EndpointUri.Socket(endpoint, port), options.ConnectTimeout, options.MaxMetricsPageBytes, time, security);
    }

    private EndpointSample? Sample()
    {
        double? kv = null;
        int? running = null;
        int? waiting = null;
        var fingerprint = 0UL;
        var read = 0;
        foreach (var page in _pages)
        {
            if (!page.IsRead) continue;
            read++;
            page.Learn(time);
            kv ??= page.Parser.KvUtilizationRatio;
            running ??= page.Parser.RunningRequests;
            waiting ??= page.Parser.WaitingRequests;
            fingerprint = fingerprint * 31 + page.Parser.Fingerprint;
        }

        if (read == 0)
        {
            Pace.Begin();
            return null;
        }

        Pace.Observe(kv, running, waiting, fingerprint);
        // Until the next one comes, and two more if that fails.
        var maxAge = Pace.Interval * 3 > options.SampleMaxAge ? Pace.Interval * 3 : options.SampleMaxAge;
        EndpointSample? sample = null;
        foreach (var page in _pages)
        {
            if (page.IsRead) sample = Merge(sample, page, maxAge);
        }

        return sample;
    }

    private EndpointSample Merge(EndpointSample? earlier, Page page, TimeSpan maxAge)
    {
        return new EndpointSample
        {
            Endpoint = endpoint,
            Timestamp = Math.Min(earlier?.Timestamp ?? long.MaxValue, page.Connection!.AnsweredAt),
            KvUtilizationRatio = earlier?.KvUtilizationRatio ?? page.Parser.KvUtilizationRatio,
            RunningRequests = earlier?.RunningRequests ?? page.Parser.RunningRequests,
            WaitingRequests = earlier?.WaitingRequests ?? page.Parser.WaitingRequests,
            KvCapacityTokens = earlier?.KvCapacityTokens ?? page.Parser.KvCapacityTokens,
            EngineStarted = earlier?.EngineStarted ?? page.EngineStarted,
            MaxAge = maxAge,
            IsAsleep = (earlier?.IsAsleep ?? false) || page.Parser.IsAsleep,
            MaxLoras = earlier?.MaxLoras ?? page.Parser.MaxLoras,
            RunningAdapters = earlier is { MaxLoras: not null } ? earlier.RunningAdapters : page.Parser.RunningAdapters,
            WaitingAdapters = earlier is { MaxLoras: not null } ? earlier.WaitingAdapters : page.Parser.WaitingAdapters,
            MeanPromptTokens = earlier?.MeanPromptTokens ?? page.Steps.MeanPromptTokens,
            MeanPrefillSecondsPerToken = earlier?.MeanPrefillSecondsPerToken ?? page.Steps.MeanPrefillSecondsPerToken,
            PrefillObservations = earlier is { PrefillObservations: > 0 } ? earlier.PrefillObservations : page.Steps.PrefillObservations,
            MeanInterTokenSeconds = earlier?.MeanInterTokenSeconds ?? page.Steps.MeanInterTokenSeconds,
            InterTokenObservations = earlier is { InterTokenObservations: > 0 } ? earlier.InterTokenObservations : page.Steps.InterTokenObservations,
            PrefixCacheQueriedTokens = earlier?.PrefixCacheQueriedTokens ?? page.Parser.PrefixQueries,
            PrefixCacheHitTokens = earlier?.PrefixCacheHitTokens ?? page.Parser.PrefixHits,
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

    private void UsePages(ImmutableArray<MetricsPageConfig> configured)
    {
        if (_pages.Length > 0 && configured == _configured) return;
        foreach (var page in _pages) page.Dispose();
        _configured = configured;
        _pages = configured.IsDefaultOrEmpty ? [new Page(DefaultPage)] : [.. configured.Select(c => new Page(c))];
    }

    private sealed class Page(MetricsPageConfig config) : IDisposable
    {
        private readonly EngineStart _start = new();
        private StepTimes _steps;

        public MetricsPageConfig Config { get; } = config;

        public MetricsPageParser Parser { get; } = new(config.Exports.IsDefault ? [] : config.Exports);

        public PageConnection? Connection { get; set; }

        /// <summary>True when the last attempt to read it succeeded.</summary>
        public bool IsRead { get; set; }

        public double? EngineStarted { get; private set; }

        public ref readonly StepTimes Steps => ref _steps;

        /// <summary>Takes what the parser has just read.</summary>
        public void Learn(TimeProvider time)
        {
            // Other exporters tell the start of their own process, which says nothing about the engine.
            if (Parser.RunningRequests is null && Parser.PromptTokens is null)
            {
                EngineStarted = null;
                return;
            }

            _start.Observe(Parser.ProcessStart, Parser.PromptTokens, Parser.FinishedRequests, time.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0);
            if (EngineStarted != _start.Seconds) _steps.Reset();
            EngineStarted = _start.Seconds;
            _steps.Observe(Parser);
        }

        public void Dispose() => Connection?.Dispose();
    }
}
