using System.Collections.Immutable;
using System.Globalization;

namespace Mesh.Gateway.Metrics;

/// <summary>What the gateway counts by itself; the endpoints' gauges come from the engine when the page is read.</summary>
internal sealed class GatewayMetrics
{
    private static readonly ImmutableArray<double> DurationBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];

    private static readonly string[] Codes = [.. Enumerable.Range(0, 600).Select(c => c.ToString(CultureInfo.InvariantCulture))];

    /// <summary>Requests by pool, model and status; status 499 stands for a client that left before its answer began.</summary>
    public MetricFamily<Counter> Requests { get; } =
        new("mesh_requests_total", "Inference requests by pool, model and status code.", ["pool", "model", "code"], () => new Counter());

    /// <summary>How requests that were sent to an endpoint ended.</summary>
    public MetricFamily<Counter> Endings { get; } =
        new("mesh_request_endings_total", "Requests sent to an endpoint, by pool and how they ended.", ["pool", "ending"], () => new Counter());

    /// <summary>Attempts after the first.</summary>
    public MetricFamily<Counter> Retries { get; } =
        new("mesh_retries_total", "Attempts on another endpoint, by pool and why the one before failed.", ["pool", "reason"], () => new Counter());

    /// <summary>Answers that the gateway gave by itself.</summary>
    public MetricFamily<Counter> Refusals { get; } =
        new("mesh_refusals_total", "Requests that the gateway answered with an error of its own, by reason.", ["reason"], () => new Counter());

    /// <summary>Copies of requests by <c>RequestMirror</c>, and what became of them.</summary>
    public MetricFamily<Counter> Mirrored { get; } =
        new("mesh_mirrored_requests_total", "Copies of requests by RequestMirror, by the copy's pool and what became of it.", ["pool", "result"], () => new Counter());

    /// <summary>From the first line of the request to the last byte of the answer.</summary>
    public MetricFamily<Histogram> Duration { get; } =
        new("mesh_request_duration_seconds", "Time from a request's arrival to the end of its answer.", ["pool"], () => new Histogram(DurationBounds));

    /// <summary>From the first line of the request to the first byte of the answer's body.</summary>
    public MetricFamily<Histogram> TimeToFirstByte { get; } =
        new(
            "mesh_time_to_first_byte_seconds",
            "Time from a request's arrival to the first byte of its answer's body.",
            ["pool"],
            () => new Histogram(DurationBounds));

    /// <summary>Configurations taken and refused.</summary>
    public MetricFamily<Counter> Reloads { get; } =
        new("mesh_config_reloads_total", "Edits of the manifests, by whether they took effect.", ["result"], () => new Counter());

    /// <summary>A status as a label value, without making a string.</summary>
    public static string Code(int status) => (uint)status < (uint)Codes.Length ? Codes[status] : "0";
}
