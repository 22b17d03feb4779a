using System.Collections.Immutable;
using Mesh.Core.Endpoints;
using Mesh.Core.Randomness;
using Mesh.Core.Routing;

namespace Mesh.Core.Scheduling;

/// <summary>
/// Filters, then weighted scorers, then a picker: <c>pick(Σ weight · score)</c> over the candidates that pass every filter, in the order in
/// which the profile names them. Immutable; the buffers come in with the call.
/// </summary>
internal sealed class SchedulingProfile(
    string name, ImmutableArray<IEndpointFilter> filters, ImmutableArray<WeightedScorer> scorers, IEndpointPicker picker)
{
    public string Name { get; } = name;

    /// <summary>True if an endpoint passes every filter.</summary>
    public bool Accepts(in SchedulingContext context, EndpointState endpoint, SchedulingWorkspace workspace)
    {
        var one = workspace.Candidates(new ReadOnlySpan<EndpointState>(in endpoint));
        foreach (var filter in filters)
        {
            if (filter.Filter(in context, one) == 0) return false;
        }
        return true;
    }

    /// <summary>Chooses among <paramref name="endpoints"/>, of which there is at least one.</summary>
    public SchedulingChoice Choose(
        in SchedulingContext context, ReadOnlySpan<EndpointState> endpoints, SchedulingWorkspace workspace, Xoshiro256 random)
    {
        // :: Step 1: whoever may not take it leaves.
        var candidates = workspace.Candidates(endpoints);
        foreach (var filter in filters)
        {
            candidates = candidates[..filter.Filter(in context, candidates)];
            if (candidates.IsEmpty) return new SchedulingChoice(null, filter.WhenEmpty);
        }

        if (candidates.Length == 1) return new SchedulingChoice(candidates[0], DecisionReason.OnlyCandidate);

        // :: Step 2: each rule scores, and its weight decides how much that counts.
        var totals = workspace.Totals(candidates.Length);
        var scores = workspace.Scores(candidates.Length);
        foreach (var (scorer, weight) in scorers)
        {
            scorer.Score(in context, candidates, scores);
            for (var i = 0; i < totals.Length; i++) totals[i] += weight * scores[i];
        }

        // :: Step 3: one of the best.
        return new SchedulingChoice(candidates[picker.Pick(candidates, totals, random)], DecisionReason.BestScore);
    }
}
