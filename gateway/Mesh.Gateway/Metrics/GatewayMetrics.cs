using System.Collections.Immutable;
using System.Globalization;
using Mesh.Engine.Telemetry;
using Mesh.Gateway.Admin.History;
using Mesh.Gateway.Federation;

namespace Mesh.Gateway.Metrics;

/// <summary>What the gateway counts by itself; the endpoints' gauges come from the engine when the page is read.</summary>
internal sealed class GatewayMetrics
{
    private static readonly string[] Codes = [.. Enumerable.Range(0, 600).Select(c => c.ToString(CultureInfo.InvariantCulture))];

    public GatewayMetrics()
    {
        Sources =
        [
            Requests, Endings, Failures, Retries, RetriesWithheld, Refusals, Decisions, Mirrored, Reloads, PromptTokens, CachedTokens, CompletionTokens, RequestBytes, ResponseBytes,
            DroppedLines, UpstreamOpened, UpstreamReused, UpstreamClosed, Duration, TimeToFirstByte, TimeToFirstToken, TimePerOutputToken, QueueWait,
        ];
        // A rise is only seen from a value before it, and these rise seldom.
        Reloads.With("taken");
        Reloads.With("refused");
        DroppedLines.With();
    }

    /// <summary>Requests by pool, model and status; status 499 stands for a client that left before its answer began.</summary>
    public MetricFamily<Counter> Requests { get; } = Counters(RequestMetricDefinitions.Requests);

    /// <summary>How requests ended, by pool.</summary>
    public MetricFamily<Counter> Endings { get; } = Counters(RequestMetricDefinitions.Endings);

    /// <summary>Requests that ended with an error of the gateway's, by pool and reason.</summary>
    public MetricFamily<Counter> Failures { get; } = Counters(RequestMetricDefinitions.Failures);

    /// <summary>Attempts after the first, by pool and reason.</summary>
    public MetricFamily<Counter> Retries { get; } = Counters(RequestMetricDefinitions.Retries);

    /// <summary>Attempts that the retry budget did not allow, by pool.</summary>
    public MetricFamily<Counter> RetriesWithheld { get; } = Counters(RequestMetricDefinitions.RetriesWithheld);

    /// <summary>Answers that the gateway gave by itself, by reason.</summary>
    public MetricFamily<Counter> Refusals { get; } = Counters(RequestMetricDefinitions.Refusals);

    /// <summary>Placements by pool, region, cluster and reason.</summary>
    public MetricFamily<Counter> Decisions { get; } = Counters(RequestMetricDefinitions.Decisions);

    /// <summary>Copies of requests by <c>RequestMirror</c>, by pool and what became of them.</summary>
    public MetricFamily<Counter> Mirrored { get; } = Counters(RequestMetricDefinitions.Mirrored);

    /// <summary>Configurations taken and refused.</summary>
    public MetricFamily<Counter> Reloads { get; } = Counters(RequestMetricDefinitions.Reloads);

    /// <summary>Tokens of prompts by pool, region, cluster and model.</summary>
    public MetricFamily<Counter> PromptTokens { get; } = Counters(RequestMetricDefinitions.PromptTokens);

    /// <summary>Those of them that were cached.</summary>
    public MetricFamily<Counter> CachedTokens { get; } = Counters(RequestMetricDefinitions.CachedTokens);

    /// <summary>Generated tokens, by the same.</summary>
    public MetricFamily<Counter> CompletionTokens { get; } = Counters(RequestMetricDefinitions.CompletionTokens);

    /// <summary>Bytes of requests by pool.</summary>
    public MetricFamily<Counter> RequestBytes { get; } = Counters(RequestMetricDefinitions.RequestBytes);

    /// <summary>Bytes of answers by pool.</summary>
    public MetricFamily<Counter> ResponseBytes { get; } = Counters(RequestMetricDefinitions.ResponseBytes);

    /// <summary>Lines of the access log that were thrown away.</summary>
    public MetricFamily<Counter> DroppedLines { get; } = Counters(RequestMetricDefinitions.DroppedLines);

    /// <summary>Connections to endpoints that were opened.</summary>
    public MetricFamily<Counter> UpstreamOpened { get; } = Counters(RequestMetricDefinitions.UpstreamOpened);

    /// <summary>Requests that took an idle one.</summary>
    public MetricFamily<Counter> UpstreamReused { get; } = Counters(RequestMetricDefinitions.UpstreamReused);

    /// <summary>Connections to endpoints that were closed, by reason.</summary>
    public MetricFamily<Counter> UpstreamClosed { get; } = Counters(RequestMetricDefinitions.UpstreamClosed);

    /// <summary>From the first line of the request to the last byte of the answer, by pool, region, cluster and model.</summary>
    public MetricFamily<Histogram> Duration { get; } = Histograms(RequestMetricDefinitions.Duration);

    /// <summary>From the first line of the request to the first byte of the answer's body, by pool.</summary>
    public MetricFamily<Histogram> TimeToFirstByte { get; } = Histograms(RequestMetricDefinitions.TimeToFirstByte);

    /// <summary>The same of streams, by pool, region, cluster and model.</summary>
    public MetricFamily<Histogram> TimeToFirstToken { get; } = Histograms(RequestMetricDefinitions.TimeToFirstToken);

    /// <summary>Between tokens of streams, by pool, region, cluster and model.</summary>
    public MetricFamily<Histogram> TimePerOutputToken { get; } = Histograms(RequestMetricDefinitions.TimePerOutputToken);

    /// <summary>Until a place was found, by pool and priority.</summary>
    public MetricFamily<Histogram> QueueWait { get; } = Histograms(RequestMetricDefinitions.QueueWait);

    /// <summary>Times by backend for the dashboard, finer than the page's histograms.</summary>
    public BackendLatencies Latencies { get; } = new();

    /// <summary>What is counted of the exchange with peer regions; not among <see cref="Sources"/>.</summary>
    public FederationMetrics Federation { get; } = new();

    /// <summary>All of them, in the order of the page.</summary>
    public ImmutableArray<IMetricSource> Sources { get; }

    /// <summary>A status as a label value, without making a string.</summary>
    public static string Code(int status) => (uint)status < (uint)Codes.Length ? Codes[status] : "0";

    public static MetricFamily<Counter> Counters(MetricDefinition definition) => new(definition, static () => new Counter());

    public static MetricFamily<Histogram> Histograms(MetricDefinition definition) => new(definition, () => new Histogram(definition.Bounds));
}
