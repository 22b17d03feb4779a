using Mesh.Core.Endpoints;
using Mesh.Core.Scheduling.Cost;

namespace Mesh.Core.Scheduling;

/// <summary>Buffers of one decision, kept from decision to decision so that none allocates. They grow with the pool and never shrink.</summary>
internal sealed class SchedulingWorkspace
{
    private EndpointState[] _candidates = [];
    private double[] _totals = [];
    private double[] _scores = [];

    /// <summary>A copy of the endpoints, which filters may reorder.</summary>
    public Span<EndpointState> Candidates(ReadOnlySpan<EndpointState> endpoints)
    {
        var candidates = Room(endpoints.Length);
        endpoints.CopyTo(candidates);
        return candidates;
    }

    /// <summary>A copy of those that are ready, in the same order.</summary>
    /// <param name="endpoints">Endpoints.</param>
    /// <param name="slots">Their slots.</param>
    /// <param name="costs">Tells who is ready.</param>
    public Span<EndpointState> Ready(ReadOnlySpan<EndpointState> endpoints, ReadOnlySpan<int> slots, CostTable costs)
    {
        var candidates = Room(endpoints.Length);
        var (from, kept) = (0, 0);
        for (var i = 0; i <= slots.Length; i++)
        {
            if (i < slots.Length && costs.IsReady(slots[i])) continue;
            // In runs: reference by reference costs a barrier each.
            endpoints[from..i].CopyTo(candidates[kept..]);
            kept += i - from;
            from = i + 1;
        }

        return candidates[..kept];
    }

    /// <summary>Weighted sums, all 0 at first.</summary>
    public Span<double> Totals(int count)
    {
        var totals = _totals.AsSpan(0, count);
        totals.Clear();
        return totals;
    }

    /// <summary>Room for one rule's scores.</summary>
    public Span<double> Scores(int count) => _scores.AsSpan(0, count);

    private Span<EndpointState> Room(int count)
    {
        if (_candidates.Length < count)
        {
            _candidates = new EndpointState[count];
            _totals = new double[count];
            _scores = new double[count];
        }

        return _candidates.AsSpan(0, count);
    }
}
