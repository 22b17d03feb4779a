using System.Collections.Concurrent;
using Mesh.Core.Config;
using Mesh.Core.Routing;
using Mesh.Gateway.Admin.History;
using Mesh.Gateway.Errors;

namespace Mesh.Gateway.Metrics;

/// <summary>The series of one backend of a pool, found once and then at hand. Thread-safe.</summary>
internal sealed class BackendSeries(GatewayMetrics metrics, string pool, BackendId backend, string region)
{
    private readonly ConcurrentDictionary<string, RequestSeries> _models = new();
    private readonly Counter?[] _decisions = new Counter?[Enum.GetValues<DecisionReason>().Length];

    /// <summary>The backend; default for requests that were sent nowhere.</summary>
    public BackendId Backend => backend;

    /// <summary>Its region; empty for requests that were sent nowhere.</summary>
    public string Region => region;

    /// <summary>Its cluster; empty for requests that were sent nowhere.</summary>
    public string Cluster { get; } = backend.Cluster ?? "";

    /// <summary>Times of its requests; null for requests that were sent nowhere.</summary>
    public BackendLatency? Latency { get; } = backend.Cluster is null ? null : metrics.Latencies.Of(pool, backend);

    /// <summary>Count of placements there for a reason.</summary>
    public Counter Decided(DecisionReason reason) => _decisions[(int)reason] ??= metrics.Decisions.With(pool, region, Cluster, Refusals.NameOf(reason));

    /// <summary>Series of a model, by its label.</summary>
    public RequestSeries Of(string model) => _models.TryGetValue(model, out var known) ? known : Add(model);

    private RequestSeries Add(string model)
    {
        var made = new RequestSeries(metrics, pool, region, Cluster, model);
        return _models.Count < KnownModels.Max + 2 ? _models.GetOrAdd(model, made) : made;
    }
}

/// <summary>The series of one model at one backend.</summary>
internal sealed class RequestSeries(GatewayMetrics metrics, string pool, string region, string cluster, string model)
{
    private readonly Counter?[] _byStatus = new Counter?[600];

    /// <summary>Label of the model.</summary>
    public string Model => model;

    // Made when first used: a request that was refused has no tokens, and a series of zeros would say that it had.
    public Counter PromptTokens => field ??= metrics.PromptTokens.With(pool, region, cluster, model);

    public Counter CachedTokens => field ??= metrics.CachedTokens.With(pool, region, cluster, model);

    public Counter CompletionTokens => field ??= metrics.CompletionTokens.With(pool, region, cluster, model);

    public Histogram Duration => field ??= metrics.Duration.With(pool, region, cluster, model);

    public Histogram TimeToFirstToken => field ??= metrics.TimeToFirstToken.With(pool, region, cluster, model);

    public Histogram TimePerOutputToken => field ??= metrics.TimePerOutputToken.With(pool, region, cluster, model);

    /// <summary>Count of requests with a status.</summary>
    public Counter Ended(int status)
    {
        var at = (uint)status < (uint)_byStatus.Length ? status : 0;
        return _byStatus[at] ??= metrics.Requests.With(pool, model, GatewayMetrics.Code(at));
    }
}
