using System.Collections.Immutable;
using Mesh.Engine.Telemetry;

namespace Mesh.Gateway.Metrics;

/// <summary>What the gateway counts of requests, by itself.</summary>
internal static class RequestMetricDefinitions
{
    public static readonly MetricLabel Pool = new("pool", "mesh.pool");
    public static readonly MetricLabel Region = new("region", "mesh.region");
    public static readonly MetricLabel Cluster = new("cluster", "k8s.cluster.name");
    public static readonly MetricLabel Model = new("model", "gen_ai.request.model");
    public static readonly MetricLabel Reason = new("reason", "mesh.reason");
    public static readonly MetricLabel Priority = new("priority", "mesh.priority");

    private static readonly MetricLabel Code = new("code", "http.response.status_code");
    private static readonly MetricLabel Ending = new("ending", "mesh.ending");
    private static readonly MetricLabel Result = new("result", "mesh.result");

    private static readonly ImmutableArray<MetricLabel> Placed = [Pool, Region, Cluster, Model];

    private static readonly ImmutableArray<double> DurationBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];
    private static readonly ImmutableArray<double> FirstTokenBounds = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30, 60];
    private static readonly ImmutableArray<double> OutputTokenBounds = [0.001, 0.0025, 0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2.5];
    private static readonly ImmutableArray<double> WaitBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

    public static MetricDefinition Requests { get; } = Counter(
        "mesh_requests_total", "mesh.requests", "{request}",
        "Inference requests that ended, by pool, model and status; 499 stands for a client that left before its answer began.", Pool, Model, Code);

    public static MetricDefinition Endings { get; } = Counter(
        "mesh_request_endings_total", "mesh.request.endings", "{request}",
        "Inference requests that ended, by pool and how: as many as mesh_requests_total; refused ones were never sent.", Pool, Ending);

    public static MetricDefinition Failures { get; } = Counter(
        "mesh_request_failures_total", "mesh.request.failures", "{request}",
        "Inference requests that ended with an error of the gateway's own, by pool and reason.", Pool, Reason);

    public static MetricDefinition Retries { get; } = Counter(
        "mesh_retries_total", "mesh.retries", "{attempt}", "Attempts on another endpoint, by pool and why the one before failed.", Pool, Reason);

    public static MetricDefinition RetriesWithheld { get; } = Counter(
        "mesh_retries_withheld_total", "mesh.retries.withheld", "{attempt}", "Attempts on another endpoint that the pool's retry budget did not allow.", Pool);

    public static MetricDefinition Refusals { get; } = Counter(
        "mesh_refusals_total", "mesh.refusals", "{request}", "Requests of any kind that the gateway answered with an error of its own, by reason.", Reason);

    public static MetricDefinition Decisions { get; } = Counter(
        "mesh_decisions_total", "mesh.decisions", "{decision}",
        "Placements that were decided, by pool, where to and why; region and cluster are empty for refusals. Reason overflow tells the flow into a cluster that was not the first choice.",
        Pool, Region, Cluster, Reason);

    public static MetricDefinition Mirrored { get; } = Counter(
        "mesh_mirrored_requests_total", "mesh.mirrored_requests", "{request}", "Copies of requests by RequestMirror, by the copy's pool and what became of it.", Pool, Result);

    public static MetricDefinition Reloads { get; } = Counter(
        "mesh_config_reloads_total", "mesh.config.reloads", "{reload}", "Edits of the manifests, by whether they took effect.", Result);

    public static MetricDefinition PromptTokens { get; } = Counter(
        "mesh_prompt_tokens_total", "mesh.prompt_tokens", "{token}", "Prompt tokens by the usage that answers tell, cached ones included.", Placed);

    public static MetricDefinition CachedTokens { get; } = Counter(
        "mesh_cached_prompt_tokens_total", "mesh.cached_prompt_tokens", "{token}", "Those of the prompt tokens that came from a prefix cache.", Placed);

    public static MetricDefinition CompletionTokens { get; } = Counter(
        "mesh_completion_tokens_total", "mesh.completion_tokens", "{token}", "Generated tokens by the usage that answers tell.", Placed);

    public static MetricDefinition RequestBytes { get; } = Counter(
        "mesh_request_bytes_total", "mesh.request.bytes", "By", "Bytes of the bodies of requests, by pool.", Pool);

    public static MetricDefinition ResponseBytes { get; } = Counter(
        "mesh_response_bytes_total", "mesh.response.bytes", "By", "Bytes of the bodies of relayed answers, by pool.", Pool);

    public static MetricDefinition DroppedLines { get; } = Counter(
        "mesh_access_log_dropped_total", "mesh.access_log.dropped", "{line}", "Lines of the access log that were thrown away because the file could not take them fast enough.");

    public static MetricDefinition UpstreamOpened { get; } = Counter(
        "mesh_upstream_connections_opened_total", "mesh.upstream.connections.opened", "{connection}", "Connections to endpoints that were opened, in clear text and by the gateway's own client.");

    public static MetricDefinition UpstreamReused { get; } = Counter(
        "mesh_upstream_connections_reused_total", "mesh.upstream.connections.reused", "{request}", "Requests that took an idle connection.");

    public static MetricDefinition UpstreamClosed { get; } = Counter(
        "mesh_upstream_connections_closed_total", "mesh.upstream.connections.closed", "{connection}",
        "Such connections that were closed, by reason: idle_age, idle_ended (by the endpoint), idle_limit, not_kept (by the answer), aborted (given up by the gateway or its client), broken, shutdown.", Reason);

    public static MetricDefinition Duration { get; } = Histogram(
        "mesh_request_duration_seconds", null, "Time from a request's arrival to the end of its answer; region and cluster are empty for requests that were never sent.",
        DurationBounds, Placed);

    public static MetricDefinition TimeToFirstByte { get; } = Histogram(
        "mesh_time_to_first_byte_seconds", null, "Time from a request's arrival to the first byte of its answer's body, streamed or not.", DurationBounds, Pool);

    public static MetricDefinition TimeToFirstToken { get; } = Histogram(
        "mesh_time_to_first_token_seconds", null, "Time from the arrival of a request for a stream to the first byte of its successful answer, waiting included.",
        FirstTokenBounds, Placed);

    public static MetricDefinition TimePerOutputToken { get; } = Histogram(
        "mesh_time_per_output_token_seconds", null,
        "Time per generated token after the first, of streams that came to their end and told how many tokens they had.", OutputTokenBounds, Placed);

    public static MetricDefinition QueueWait { get; } = Histogram(
        "mesh_queue_wait_seconds", "mesh.queue.wait.duration",
        "Time in which a matched request was placed, waits included, over all its attempts, by pool and the objective's priority.", WaitBounds, Pool, Priority);

    /// <summary>All of them, in the order of the page.</summary>
    public static ImmutableArray<MetricDefinition> All { get; } =
    [
        Requests, Endings, Failures, Retries, RetriesWithheld, Refusals, Decisions, Mirrored, Reloads, PromptTokens, CachedTokens, CompletionTokens, RequestBytes, ResponseBytes,
        DroppedLines, UpstreamOpened, UpstreamReused, UpstreamClosed, Duration, TimeToFirstByte, TimeToFirstToken, TimePerOutputToken, QueueWait,
    ];

    private static MetricDefinition Counter(string page, string meter, string unit, string meaning, params ImmutableArray<MetricLabel> labels) =>
        new() { PageName = page, MeterName = meter, Kind = MetricKind.Counter, Unit = unit, Meaning = meaning, Labels = labels };

    private static MetricDefinition Histogram(string page, string? meter, string meaning, ImmutableArray<double> bounds, params ImmutableArray<MetricLabel> labels) =>
        new() { PageName = page, MeterName = meter, Kind = MetricKind.Histogram, Unit = "s", Meaning = meaning, Labels = labels, Bounds = bounds };
}
