using System.Collections.Immutable;
using Mesh.Core.Endpoints;

namespace Mesh.Core.Routing;

/// <summary>What a request could choose from, noted before it was placed.</summary>
internal sealed class DecisionFacts
{
    private const int Shown = 5;
    private readonly List<ExplainedCandidate> _best;

    /// <param name="best">The best candidates, the best first.</param>
    public DecisionFacts(List<ExplainedCandidate> best) => _best = best;

    public static DecisionFacts Nothing { get; } = new([]);

    public int CandidateCount { get; init; }

    public ImmutableArray<RemovalCount> RemovedBy { get; init; } = [];

    public ImmutableArray<RemovedEndpoint> Removed { get; init; } = [];

    public ImmutableArray<ExplainedBackend> Backends { get; init; } = [];

    public ImmutableArray<ExplainedRegion> Regions { get; private init; } = [];

    public DecisionFacts With(ImmutableArray<ExplainedRegion> regions) => new(_best)
    {
        CandidateCount = CandidateCount,
        RemovedBy = RemovedBy,
        Removed = Removed,
        Backends = Backends,
        Regions = regions,
    };

    /// <summary>The five best, and the chosen one where it is not among them: a picker may take any.</summary>
    public ImmutableArray<ExplainedCandidate> Best(EndpointId chosen)
    {
        var shown = ImmutableArray.CreateBuilder<ExplainedCandidate>(Shown + 1);
        var listed = chosen.Address is null;
        for (var i = 0; i < _best.Count; i++)
        {
            var isChosen = _best[i].Endpoint == chosen;
            if (i >= Shown && !isChosen) continue;
            shown.Add(_best[i]);
            listed |= isChosen;
        }

        // So far down that it was not looked at in detail.
        if (!listed && CandidateCount > _best.Count) shown.Add(new ExplainedCandidate { Endpoint = chosen });
        return shown.ToImmutable();
    }
}
