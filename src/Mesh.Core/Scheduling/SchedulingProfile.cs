using System.Collections.Immutable;
using Mesh.Core.Endpoints;
using Mesh.Core.Randomness;
using Mesh.Core.Routing;
using Mesh.Core.Scheduling.Rules;

namespace Mesh.Core.Scheduling;

/// <summary>
/// Filters, then weighted scorers, then a picker: <c>pick(Σ weight · score)</c> over the candidates that pass every filter, in the order in
/// which the profile names them. Immutable; the buffers come in with the call.
/// </summary>
internal sealed class SchedulingProfile(
    string name, ImmutableArray<IEndpointFilter> filters, ImmutableArray<WeightedScorer> scorers, IEndpointPicker picker)
{
    // Filters that always hold come first.
    private readonly int _guards = filters.TakeWhile(IsGuard).Count();

    public string Name { get; } = name;

    public ImmutableArray<IEndpointFilter> Filters => filters;

    public ImmutableArray<WeightedScorer> Scorers => scorers;

    /// <summary>True when filters besides those that always hold narrow the candidates.</summary>
    public bool HasOwnFilters { get; } = !filters.All(IsGuard);

    /// <summary>True if an endpoint passes every filter and is not ejected.</summary>
    public bool Accepts(in SchedulingContext context, EndpointState endpoint, SchedulingWorkspace workspace)
    {
        if (endpoint.IsEjected) return false;
        var one = workspace.Candidates(new ReadOnlySpan<EndpointState>(in endpoint));
        foreach (var filter in filters)
        {
            if (filter.Filter(in context, one) == 0) return false;
        }
        return true;
    }

    /// <summary>The endpoints that pass every filter; empty with the reason of the filter that left nobody. Valid until the next call.</summary>
    /// <param name="context">The request.</param>
    /// <param name="endpoints">Endpoints to look at, at least one.</param>
    /// <param name="workspace">Buffers.</param>
    /// <param name="excluded">Backends to leave out, by index; empty leaves out none.</param>
    /// <param name="reason">Why nobody is left.</param>
    public Span<EndpointState> Filter(
        in SchedulingContext context, ReadOnlySpan<EndpointState> endpoints, SchedulingWorkspace workspace, ReadOnlySpan<bool> excluded, out DecisionReason reason)
    {
        return Pass(in context, workspace.Candidates(endpoints), excluded, firstFilter: 0, out reason);
    }

    /// <summary>
    /// The same of endpoints that are ready, for a request that fits everywhere: they pass the filters that always hold. Empty, it does not tell that the others would leave
    /// nobody.
    /// </summary>
    public Span<EndpointState> FilterReady(in SchedulingContext context, Span<EndpointState> ready, ReadOnlySpan<bool> excluded) => Pass(in context, ready, excluded, _guards, out _);

    /// <summary>Scores candidates that passed the filters and picks one.</summary>
    public SchedulingChoice Pick(in SchedulingContext context, ReadOnlySpan<EndpointState> candidates, SchedulingWorkspace workspace, Xoshiro256 random)
    {
        if (candidates.Length == 1) return new SchedulingChoice(candidates[0], DecisionReason.OnlyCandidate);

        // :: Step 1: each rule scores, and its weight decides how much that counts.
        var totals = workspace.Totals(candidates.Length);
        var scores = workspace.Scores(candidates.Length);
        foreach (var (scorer, weight) in scorers)
        {
            scorer.Score(in context, candidates, scores);
            for (var i = 0; i < totals.Length; i++) totals[i] += weight * scores[i];
        }

        // :: Step 2: one of the best.
        return new SchedulingChoice(candidates[picker.Pick(in context, candidates, totals, random)], DecisionReason.BestScore);
    }

    private Span<EndpointState> Pass(in SchedulingContext context, Span<EndpointState> candidates, ReadOnlySpan<bool> excluded, int firstFilter, out DecisionReason reason)
    {
        reason = DecisionReason.NoReadyEndpoint;
        if (excluded.Contains(true)) candidates = candidates[..Exclude(candidates, excluded)];
        for (var i = firstFilter; i < filters.Length && !candidates.IsEmpty; i++)
        {
            candidates = candidates[..filters[i].Filter(in context, candidates)];
            if (candidates.IsEmpty) reason = filters[i].WhenEmpty;
        }

        return candidates;
    }

    private static bool IsGuard(IEndpointFilter filter) => RuleCatalog.Find(RuleKind.Filter, filter.Name) is { AlwaysOn: true };

    private static int Exclude(Span<EndpointState> candidates, ReadOnlySpan<bool> excluded)
    {
        var kept = 0;
        for (var i = 0; i < candidates.Length; i++)
        {
            if (!excluded[candidates[i].BackendIndex]) candidates[kept++] = candidates[i];
        }

        return kept;
    }
}
