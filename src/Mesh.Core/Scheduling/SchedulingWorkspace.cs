using Mesh.Core.Endpoints;

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
        if (_candidates.Length < endpoints.Length)
        {
            _candidates = new EndpointState[endpoints.Length];
            _totals = new double[endpoints.Length];
            _scores = new double[endpoints.Length];
        }

        var candidates = _candidates.AsSpan(0, endpoints.Length);
        endpoints.CopyTo(candidates);
        return candidates;
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
}
