using System.Collections.Concurrent;

namespace Mesh.Gateway.Inference.Retrying;

/// <summary>The budget of every pool: one whose endpoints all fail uses up its own and nobody else's. Thread-safe; bounded.</summary>
internal sealed class RetryBudgets(RetryBudgetOptions options, TimeProvider time)
{
    // Edits of the manifests could bring ever new pools over the months.
    private const int MaxPools = 1024;

    private readonly ConcurrentDictionary<string, RetryBudget> _pools = new();

    /// <summary>The budget of a pool.</summary>
    /// <param name="pool">Its label.</param>
    public RetryBudget Of(string pool)
    {
        if (_pools.TryGetValue(pool, out var known)) return known;
        if (_pools.Count >= MaxPools) _pools.Clear();
        return _pools.GetOrAdd(pool, new RetryBudget(options, time));
    }

    /// <summary>
    /// True when a request whose attempt failed may go on at another endpoint. The first time that a connection was refused, or reset before
    /// a byte of an answer, costs nothing: the request has not been worked on, and one dead endpoint must not use up what others need.
    /// </summary>
    public bool MayTryAgain(InferenceExchange exchange, bool neverAnswered)
    {
        if (neverAnswered && !exchange.HasFailedOver) return exchange.HasFailedOver = true;
        return exchange.HoldsRetry = Of(exchange.Pool!.Label).TryTake();
    }

    /// <summary>Gives back what was taken out for a retry that nobody was left for.</summary>
    public void NobodyLeft(InferenceExchange exchange)
    {
        if (!exchange.HoldsRetry) return;
        exchange.HoldsRetry = false;
        Of(exchange.Pool!.Label).GiveBack();
    }
}
