using System.Collections.Immutable;

namespace Mesh.Core.Routing;

/// <summary>
/// The last explained decisions of a pool, in a ring: the oldest gives way. One that waits is completed in its place while it is still there. The ring takes no
/// memory before the first decision is noted.
/// </summary>
internal sealed class DecisionLog(int capacity, int refusalsPerSecond, PoolClock clock)
{
    private static readonly TimeSpan OneSecond = TimeSpan.FromSeconds(1);

    // Places of those that wait, by ticket: every wait in the pool that ends is looked up here.
    private readonly Dictionary<long, long> _waiting = [];
    private ExplainedDecision?[] _ring = [];
    private long _next;
    private long _secondBegan = long.MinValue;
    private int _refusalsInSecond;

    /// <summary>True when one more refusal that nobody asked about may be noted: so many in each second.</summary>
    public bool TakesRefusal(long now)
    {
        if (refusalsPerSecond == 0) return false;
        if (_secondBegan == long.MinValue || clock.Elapsed(_secondBegan, now) >= OneSecond) (_secondBegan, _refusalsInSecond) = (now, 0);
        return _refusalsInSecond++ < refusalsPerSecond;
    }

    /// <summary>Notes a decision.</summary>
    public void Add(ExplainedDecision decision)
    {
        if (_ring.Length == 0) _ring = new ExplainedDecision?[capacity];
        ref var place = ref _ring[_next % _ring.Length];
        if (place is { Kind: RouteKind.Wait } lost) _waiting.Remove(lost.Ticket);
        place = decision;
        if (decision.Kind == RouteKind.Wait) _waiting[decision.Ticket] = _next;
        _next++;
    }

    /// <summary>Notes what became of a request that waited; false when it is not in the ring.</summary>
    public bool Complete(long ticket, RouteDecision decision)
    {
        if (_waiting.Count == 0 || !_waiting.Remove(ticket, out var at)) return false;
        ref var place = ref _ring[at % _ring.Length];
        place = place! with
        {
            Kind = decision.Kind,
            Reason = decision.Reason,
            Endpoint = decision.Endpoint,
            Backend = decision.Backend,
            Region = decision.Region,
            Waited = clock.Elapsed(place!.Timestamp, clock.Now),
        };
        return true;
    }

    /// <summary>Forgets a request whose client has left.</summary>
    public void Cancel(long ticket) => Complete(ticket, RouteDecision.Refuse(DecisionReason.None));

    /// <summary>The decisions kept, the newest first.</summary>
    /// <param name="requestId">Only those of this request; null for all.</param>
    /// <param name="limit">At most so many.</param>
    public ImmutableArray<ExplainedDecision> Read(string? requestId = null, int limit = int.MaxValue)
    {
        var read = ImmutableArray.CreateBuilder<ExplainedDecision>();
        for (var i = _next - 1; i >= Math.Max(0, _next - _ring.Length) && read.Count < limit; i--)
        {
            var decision = _ring[i % _ring.Length]!;
            if (requestId is not null && decision.RequestId != requestId) continue;
            read.Add(decision.Kind == RouteKind.Wait ? decision with { Waited = clock.Elapsed(decision.Timestamp, clock.Now) } : decision);
        }
        return read.ToImmutable();
    }
}
