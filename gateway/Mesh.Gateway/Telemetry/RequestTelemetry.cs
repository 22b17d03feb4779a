using System.Collections.Concurrent;
using Mesh.Core.Routing;
using Mesh.Gateway.Inference;
using Mesh.Gateway.Metrics;
using Mesh.Gateway.Telemetry.Tracing;

namespace Mesh.Gateway.Telemetry;

/// <summary>What the request path tells of itself, in four calls: everything that counts, times or traces a request stands behind them.</summary>
internal sealed class RequestTelemetry(GatewayMetrics metrics, KnownModels models, ConventionInstruments instruments, GatewayTracing tracing)
{
    private readonly ConcurrentDictionary<string, PoolSeries> _pools = new();

    /// <summary>A request has come.</summary>
    public void Begin(InferenceExchange exchange)
    {
        if (tracing.IsOn) exchange.Trace = tracing.Begin(exchange);
    }

    /// <summary>The router has decided about an attempt.</summary>
    public void Placed(InferenceExchange exchange, in RouteDecision decision)
    {
        var pool = PoolOf(exchange);
        if (decision is { Kind: RouteKind.Forward, Region: { } region })
        {
            exchange.Placement = pool.OfPeer(region);
            exchange.Placement.Decided(decision.Reason).Increment();
            return;
        }

        if (decision.Kind != RouteKind.Send)
        {
            pool.Refused(decision.Reason).Increment();
            return;
        }

        exchange.Placement = pool.Of(decision.Backend, exchange.Pool!.Config);
        exchange.Placement.Decided(decision.Reason).Increment();
    }

    /// <summary>An attempt is about to be sent to <see cref="InferenceExchange.Endpoint"/>.</summary>
    public void AttemptBegins(InferenceExchange exchange)
    {
        if (exchange.RetryReason is { } reason)
        {
            metrics.Retries.With(exchange.Pool!.Label, reason).Increment();
            exchange.RetryReason = null;
        }

        exchange.Trace?.BeginAttempt(exchange);
    }

    /// <summary>An attempt failed and another one may follow, if somebody is left.</summary>
    public void AttemptFailed(InferenceExchange exchange, string reason)
    {
        exchange.RetryReason = reason;
        exchange.Trace?.FailAttempt(reason);
    }

    /// <summary>A request has ended. Allocates nothing for a pool, model and ending that have been seen, unless somebody listens.</summary>
    public void End(InferenceExchange exchange)
    {
        var times = RequestTimes.Of(exchange);
        var pool = PoolOf(exchange);
        var placed = exchange.Placement ?? pool.Unsent;
        var series = placed.Of(ModelLabel(exchange));
        series.Ended(exchange.Status).Increment();
        pool.Ending(times.Ending).Increment();
        if (exchange.Failure is { } reason) metrics.Failures.With(exchange.Pool?.Label ?? "", reason).Increment();
        series.Duration.Observe(times.Duration);
        if (exchange.FirstByteAfter is { } firstByte) pool.TimeToFirstByte.Observe(firstByte);
        if (times.FirstToken is { } firstToken) series.TimeToFirstToken.Observe(firstToken);
        if (times.PerOutputToken is { } each) series.TimePerOutputToken.Observe(each);
        placed.Latency?.Observe(in times);
        if (exchange.Pool is not null) pool.Wait(exchange.Priority).Observe(exchange.QueueWait);
        if (exchange.Body is { } body) pool.RequestBytes.Add(body.Length);
        if (exchange.ResponseBytes > 0) pool.ResponseBytes.Add(exchange.ResponseBytes);
        CountTokens(exchange, series);
        instruments.Record(exchange, times, placed, series.Model);
        exchange.Trace?.End(exchange, times);
    }

    private static void CountTokens(InferenceExchange exchange, RequestSeries series)
    {
        var usage = exchange.Usage;
        if (usage.Prompt > 0) series.PromptTokens.Add(usage.Prompt);
        if (usage.Cached > 0) series.CachedTokens.Add(usage.Cached);
        if (usage.Output > 0) series.CompletionTokens.Add(usage.Output);
    }

    private PoolSeries PoolOf(InferenceExchange exchange)
    {
        var label = exchange.Pool?.Label ?? "";
        return _pools.TryGetValue(label, out var known) ? known : _pools.GetOrAdd(label, static (name, all) => new PoolSeries(all, name), metrics);
    }

    /// <summary>A model that nobody serves is the client's invention and no label.</summary>
    private string ModelLabel(InferenceExchange exchange)
    {
        if ((exchange.Model ?? exchange.Facts.Model) is not { Length: > 0 } model) return "";
        if (models.Contains(model)) return model;
        return exchange.Attempts > 0 ? MetricFamily<Counter>.Other : "";
    }
}
