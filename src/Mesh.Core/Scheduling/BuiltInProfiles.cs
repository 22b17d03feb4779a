using Mesh.Core.Scheduling.Filters;
using Mesh.Core.Scheduling.Pickers;
using Mesh.Core.Scheduling.Scorers;

namespace Mesh.Core.Scheduling;

/// <summary>Profiles that need no configuration.</summary>
internal static class BuiltInProfiles
{
    /// <summary>Least predicted cost with late binding.</summary>
    public const string Mesh = "mesh";

    /// <summary>
    /// Every filter in the order in which a refusal explains most: a pool without a ready endpoint says so before it says anything about
    /// the model, and an exhausted request comes last.
    /// </summary>
    private static readonly IEndpointFilter[] Ready =
        [new NotDrainingFilter(), new HealthyFilter(), new ServesModelFilter(), new SubsetFilter(), new NotExcludedFilter()];

    /// <summary>
    /// Least loaded by exact counts first; scraped values, being up to an interval old, only tip the balance between endpoints whose
    /// counts are close.
    /// </summary>
    public static SchedulingProfile LeastLoad { get; } = new(
        "least-load",
        [.. Ready],
        [
            new WeightedScorer(new InFlightRequestsScorer(), 2),
            new WeightedScorer(new InFlightTokensScorer(), 1),
            new WeightedScorer(new KvUtilizationScorer(), 1),
            new WeightedScorer(new WaitingQueueScorer(), 1),
        ],
        new MaxScorePicker());

    /// <summary>The profile of a name; <see cref="LeastLoad"/> for one that does not exist, which validation reports.</summary>
    public static SchedulingProfile Find(string name) => LeastLoad;
}
