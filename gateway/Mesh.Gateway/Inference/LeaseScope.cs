using Mesh.Core.Config;
using Mesh.Core.Leases;
using Mesh.Core.Routing;
using Mesh.Gateway.Inference.Usage;
using IRouter = Mesh.Core.Routing.IRouter;

namespace Mesh.Gateway.Inference;

/// <summary>
/// Owns the lease of one request, one after another when it is retried, and gives each back exactly once: the first outcome counts, and
/// a lease that nobody gave an outcome is given back when the request ends. A mutable struct: keep it in a field, never copy it.
/// </summary>
internal struct LeaseScope(IRouter router)
{
    private readonly IRouter _router = router;
    private PoolId _pool;
    private LeaseId _lease;
    private bool _held;
    private bool _firstByteReported;

    /// <summary>True while a lease is out.</summary>
    public readonly bool IsHeld => _held;

    /// <summary>Takes over the lease of a decision.</summary>
    /// <exception cref="InvalidOperationException">Another lease is still out.</exception>
    public void Take(PoolId pool, LeaseId lease)
    {
        if (_held) throw new InvalidOperationException("The lease before has not been completed.");
        _pool = pool;
        _lease = lease;
        _held = true;
        _firstByteReported = false;
    }

    /// <summary>Tells, once per lease, that the answer's first byte has come.</summary>
    public void ReportFirstByte()
    {
        if (!_held || _firstByteReported) return;
        _firstByteReported = true;
        _router.ReportFirstByte(_pool, _lease);
    }

    /// <summary>Gives the lease back; without effect when none is out.</summary>
    public void Complete(OutcomeKind kind, TokenUsage usage = default)
    {
        if (!_held) return;
        _held = false;
        _router.Complete(_pool, _lease, new RequestOutcome(kind, usage.Prompt, usage.IsCachedKnown ? usage.Cached : null, usage.Output));
    }
}
