using System.Collections.Immutable;

namespace Mesh.Core.Routing;

/// <summary>The last decisions of a pool, in a ring: the oldest gives way. One that waits is completed in its place while it is still there.</summary>
internal sealed class DecisionLog(int capacity, PoolClock clock)
{
    private readonly ExplainedDecision?[] _ring = new ExplainedDecision?[capacity];
    private long _next;

    /// <summary>Notes the first answer to a request.</summary>
    public void Add(in RouteRequest request, RouteDecision decision, int candidateCount, ImmutableArray<ExplainedCandidate> candidates) =>
        _ring[_next++ % _ring.Length] = new ExplainedDecision
        {
            RequestId = request.RequestId,
            Timestamp = clock.Now,
            Kind = decision.Kind,
            Reason = decision.Reason,
            Endpoint = decision.Endpoint,
            Backend = decision.Backend,
            Ticket = decision.Ticket,
            CandidateCount = candidateCount,
            Candidates = candidates,
        };

    /// <summary>Notes what became of a request that waited.</summary>
    public void Complete(long ticket, RouteDecision decision)
    {
        for (var i = 0; i < _ring.Length; i++)
        {
            if (_ring[i] is not { Kind: RouteKind.Wait } waiting || waiting.Ticket != ticket) continue;
            _ring[i] = waiting with
            {
                Kind = decision.Kind,
                Reason = decision.Reason,
                Endpoint = decision.Endpoint,
                Backend = decision.Backend,
                Waited = clock.Elapsed(waiting.Timestamp, clock.Now),
            };
            return;
        }
    }

    /// <summary>Forgets a request whose client has left.</summary>
    public void Cancel(long ticket) => Complete(ticket, RouteDecision.Refuse(DecisionReason.None));

    /// <summary>The decisions kept, the newest first.</summary>
    public ImmutableArray<ExplainedDecision> Read()
    {
        var read = ImmutableArray.CreateBuilder<ExplainedDecision>();
        for (var i = _next - 1; i >= Math.Max(0, _next - _ring.Length); i--)
        {
            var decision = _ring[i % _ring.Length]!;
            read.Add(decision.Kind == RouteKind.Wait ? decision with { Waited = clock.Elapsed(decision.Timestamp, clock.Now) } : decision);
        }
        return read.ToImmutable();
    }
}
