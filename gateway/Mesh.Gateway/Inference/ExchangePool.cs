using System.Collections.Concurrent;

namespace Mesh.Gateway.Inference;

/// <summary>
/// Exchanges with their lifetimes for one request after another: made anew they were more than half of what a request allocates. Only one
/// that nothing has ended early comes back. Bounded. Thread-safe.
/// </summary>
internal sealed class ExchangePool(InferenceServices services, CancellationToken stopping)
{
    private const int MaxKept = 256;

    private readonly ConcurrentQueue<InferenceExchange> _free = new();
    private int _kept;

    /// <summary>An exchange for a request that begins now.</summary>
    public InferenceExchange Begin(HttpContext context, string requestId)
    {
        if (!_free.TryDequeue(out var exchange))
        {
            return new InferenceExchange(context, requestId, new RequestLifetime(context.RequestAborted, stopping, services.Time), services.Engine.Router);
        }

        Interlocked.Decrement(ref _kept);
        exchange.Lifetime.Begin(context.RequestAborted, stopping);
        exchange.Begin(context, requestId);
        return exchange;
    }

    /// <summary>The request is over; nobody may use its exchange any more.</summary>
    public void End(InferenceExchange exchange)
    {
        if (!exchange.Lifetime.TryRecycle()) return;
        exchange.Clear();
        if (Interlocked.Increment(ref _kept) <= MaxKept)
        {
            _free.Enqueue(exchange);
            return;
        }

        Interlocked.Decrement(ref _kept);
        exchange.Lifetime.Dispose();
    }
}
