using System.Collections.Frozen;
using Mesh.Core.Config;
using Mesh.Core.Leases;
using Mesh.Core.Routing;

namespace Mesh.Grains.Gateways;

/// <summary>Places requests by the pools' grains, wherever they run.</summary>
internal sealed class GrainRouter : IRouter
{
    private volatile FrozenDictionary<PoolId, PoolShards> _links = FrozenDictionary<PoolId, PoolShards>.Empty;

    /// <summary>The links; replaced as a whole.</summary>
    public FrozenDictionary<PoolId, PoolShards> Links
    {
        get => _links;
        set => _links = value;
    }

    public ValueTask<RouteDecision> RouteAsync(RouteRequest request, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested) return ValueTask.FromCanceled<RouteDecision>(cancellationToken);
        return _links.TryGetValue(request.Pool, out var link)
            ? link.RouteAsync(in request, cancellationToken)
            : new ValueTask<RouteDecision>(RouteDecision.Refuse(DecisionReason.UnknownPool));
    }

    public void ReportFirstByte(PoolId pool, LeaseId lease)
    {
        if (_links.TryGetValue(pool, out var link)) link.ReportFirstByte(lease);
    }

    public void Complete(PoolId pool, LeaseId lease, in RequestOutcome outcome)
    {
        if (_links.TryGetValue(pool, out var link)) link.Complete(lease, in outcome);
    }
}
