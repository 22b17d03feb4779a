using System.Collections.Frozen;
using Mesh.Core.Config;
using Mesh.Core.Leases;
using Mesh.Core.Routing;

namespace Mesh.Engine;

/// <summary>
/// Places requests in this process: finds the pool in an immutable table, takes its lock, and answers at once or when
/// the request's wait is over. A request that is cancelled before it is placed is not placed.
/// </summary>
internal sealed class EmbeddedRouter : IRouter
{
    private volatile FrozenDictionary<PoolId, PoolHost> _pools = FrozenDictionary<PoolId, PoolHost>.Empty;

    /// <summary>The pools; replaced as a whole.</summary>
    public FrozenDictionary<PoolId, PoolHost> Pools
    {
        get => _pools;
        set => _pools = value;
    }

    public ValueTask<RouteDecision> RouteAsync(RouteRequest request, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested) return ValueTask.FromCanceled<RouteDecision>(cancellationToken);
        return _pools.TryGetValue(request.Pool, out var pool)
            ? pool.RouteAsync(in request, cancellationToken)
            : new ValueTask<RouteDecision>(RouteDecision.Refuse(DecisionReason.UnknownPool));
    }

    public void ReportFirstByte(PoolId pool, LeaseId lease)
    {
        if (_pools.TryGetValue(pool, out var host)) host.ReportFirstByte(lease);
    }

    public void Complete(PoolId pool, LeaseId lease, in RequestOutcome outcome)
    {
        if (_pools.TryGetValue(pool, out var host)) host.Complete(lease, in outcome);
    }
}
