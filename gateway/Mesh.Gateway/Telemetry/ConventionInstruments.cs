using System.Collections.Immutable;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Mesh.Engine.Telemetry;
using Mesh.Gateway.Inference;
using Mesh.Gateway.Metrics;

namespace Mesh.Gateway.Telemetry;

/// <summary>
/// The instruments that OpenTelemetry's HTTP and GenAI conventions ask for. They cost one comparison each until somebody listens; the
/// Prometheus page says the same under names of its own. No attribute names an endpoint: thousands of them times models times buckets
/// would be too many series, and spans tell it.
/// </summary>
internal sealed class ConventionInstruments
{
    /// <summary>Value of <c>gen_ai.provider.name</c>.</summary>
    public const string Provider = "vllm";

    private static readonly MetricLabel Operation = Attribute("gen_ai.operation.name");
    private static readonly MetricLabel ProviderName = Attribute("gen_ai.provider.name");
    private static readonly MetricLabel Model = Attribute("gen_ai.request.model");
    private static readonly MetricLabel ErrorType = Attribute("error.type");
    private static readonly MetricLabel Pool = Attribute("mesh.pool");
    private static readonly MetricLabel Region = Attribute("mesh.region");
    private static readonly MetricLabel Cluster = Attribute("k8s.cluster.name");

    private static readonly MetricDefinition ServerDuration = Histogram(
        "http.server.request.duration", "s", "Duration of inference requests, from their arrival to the last byte of the answer.",
        [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
        [
            Attribute("http.request.method"), Attribute("http.route"), Attribute("http.response.status_code"), Attribute("url.scheme"),
            Attribute("network.protocol.version"), ErrorType, Pool,
        ]);

    private static readonly MetricDefinition OperationDuration = Histogram(
        "gen_ai.client.operation.duration", "s", "Duration of operations at a model server as the mesh's clients see it, waiting and other attempts included.",
        [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92], [Operation, ProviderName, Model, ErrorType, Pool, Region, Cluster]);

    private static readonly MetricDefinition TokenUsage = Histogram(
        "gen_ai.client.token.usage", "{token}", "Tokens of requests by the usage that answers tell: gen_ai.token.type is input or output.",
        [1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864],
        [Operation, ProviderName, Model, Attribute("gen_ai.token.type"), Pool, Region, Cluster]);

    private static readonly MetricDefinition FirstToken = Histogram(
        "gen_ai.server.time_to_first_token", "s", "Time to the first token of successful streams, waiting included.",
        [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10], [Operation, ProviderName, Model, Pool, Region, Cluster]);

    private static readonly MetricDefinition OutputToken = Histogram(
        "gen_ai.server.time_per_output_token", "s", "Time per output token after the first, of successful streams.",
        [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5], [Operation, ProviderName, Model, Pool, Region, Cluster]);

    // Boxed once: a status is an attribute of every request.
    private static readonly object[] Statuses = [.. Enumerable.Range(0, 600).Select(s => (object)s)];

    private readonly Histogram<double> _serverDuration;
    private readonly Histogram<double> _operationDuration;
    private readonly Histogram<double> _firstToken;
    private readonly Histogram<double> _outputToken;
    private readonly Histogram<double> _queueWait;
    private readonly Histogram<long> _tokenUsage;

    public ConventionInstruments(Meter meter)
    {
        _serverDuration = Create<double>(meter, ServerDuration, ServerDuration.Bounds);
        _operationDuration = Create<double>(meter, OperationDuration, OperationDuration.Bounds);
        _firstToken = Create<double>(meter, FirstToken, FirstToken.Bounds);
        _outputToken = Create<double>(meter, OutputToken, OutputToken.Bounds);
        _tokenUsage = Create<long>(meter, TokenUsage, [.. TokenUsage.Bounds.Select(b => (long)b)]);
        _queueWait = Create<double>(meter, RequestMetricDefinitions.QueueWait, RequestMetricDefinitions.QueueWait.Bounds);
    }

    /// <summary>The definitions, in the order of the reference.</summary>
    public static ImmutableArray<MetricDefinition> All { get; } = [ServerDuration, OperationDuration, TokenUsage, FirstToken, OutputToken];

    /// <summary>A status as an attribute's value, without boxing it.</summary>
    public static object Status(int status) => Statuses[(uint)status < (uint)Statuses.Length ? status : 0];

    /// <summary>Records a request that has ended, as far as somebody listens.</summary>
    public void Record(InferenceExchange exchange, in RequestTimes times, BackendSeries placed, string model)
    {
        if (_serverDuration.Enabled) RecordServer(exchange, times);
        if (_queueWait.Enabled && exchange.Pool is { } pool) _queueWait.Record(exchange.QueueWait.TotalSeconds, new("mesh.pool", pool.Label), new("mesh.priority", exchange.Priority));
        // What was never sent is no operation of a model server's.
        if (exchange.Attempts == 0 || !(_operationDuration.Enabled || _tokenUsage.Enabled || _firstToken.Enabled || _outputToken.Enabled)) return;
        var tags = new TagList
        {
            { "gen_ai.operation.name", times.Operation.Name ?? "other" },
            { "gen_ai.provider.name", Provider },
            { "gen_ai.request.model", model },
            { "mesh.pool", exchange.Pool?.Label },
            { "mesh.region", placed.Region },
            { "k8s.cluster.name", placed.Cluster },
        };
        if (times.FirstToken is { } first) _firstToken.Record(first.TotalSeconds, tags);
        if (times.PerOutputToken is { } each) _outputToken.Record(each.TotalSeconds, tags);
        if (exchange.Usage.Prompt > 0) RecordTokens(exchange.Usage.Prompt, "input", tags);
        if (exchange.Usage.Output > 0) RecordTokens(exchange.Usage.Output, "output", tags);
        if (times.ErrorType is { } error) tags.Add("error.type", error);
        _operationDuration.Record(times.Duration.TotalSeconds, tags);
    }

    private void RecordServer(InferenceExchange exchange, in RequestTimes times)
    {
        var request = exchange.Context.Request;
        var tags = new TagList
        {
            { "http.request.method", Method(request.Method) },
            { "url.scheme", request.IsHttps ? "https" : "http" },
            { "http.response.status_code", Status(exchange.Status) },
            { "network.protocol.version", HttpProtocol.IsHttp2(request.Protocol) ? "2" : HttpProtocol.IsHttp3(request.Protocol) ? "3" : "1.1" },
        };
        if (times.Operation.Route is { } route) tags.Add("http.route", route);
        if (times.ErrorType is { } error) tags.Add("error.type", error);
        if (exchange.Pool is { } pool) tags.Add("mesh.pool", pool.Label);
        _serverDuration.Record(times.Duration.TotalSeconds, tags);
    }

    private void RecordTokens(int tokens, string type, TagList tags)
    {
        tags.Add("gen_ai.token.type", type);
        _tokenUsage.Record(tokens, tags);
    }

    /// <summary>A method that is none of HTTP's is the client's invention.</summary>
    public static string Method(string method) => method switch
    {
        "GET" or "POST" or "PUT" or "DELETE" or "HEAD" or "OPTIONS" or "PATCH" or "TRACE" or "CONNECT" => method,
        _ => "_OTHER",
    };

    private static Histogram<T> Create<T>(Meter meter, MetricDefinition definition, ImmutableArray<T> bounds)
        where T : struct =>
        meter.CreateHistogram(definition.MeterName!, definition.Unit, definition.Meaning, null, new InstrumentAdvice<T> { HistogramBucketBoundaries = bounds });

    private static MetricLabel Attribute(string name) => new("", name);

    private static MetricDefinition Histogram(string name, string unit, string meaning, ImmutableArray<double> bounds, ImmutableArray<MetricLabel> labels) =>
        new() { MeterName = name, Kind = MetricKind.Histogram, Unit = unit, Meaning = meaning, Bounds = bounds, Labels = labels };
}
