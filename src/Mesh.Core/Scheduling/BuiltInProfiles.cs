using System.Collections.Immutable;
using Mesh.Core.Scheduling.Filters;
using Mesh.Core.Scheduling.Pickers;
using Mesh.Core.Scheduling.Rules;
using Mesh.Core.Scheduling.Scorers;

namespace Mesh.Core.Scheduling;

/// <summary>Profiles that need no configuration.</summary>
public static class BuiltInProfiles
{
    /// <summary>
    /// Every filter in the order in which a refusal explains most: a pool without a ready endpoint says so before it says anything about
    /// the model, and an exhausted request comes last.
    /// </summary>
    private static readonly IEndpointFilter[] Ready =
        [new NotDrainingFilter(), new HealthyFilter(), new ServesModelFilter(), new SubsetFilter(), new NotExcludedFilter(), new NotEjectedFilter()];

    /// <summary>
    /// Least loaded by exact counts first; scraped values, being up to an interval old, only tip the balance between endpoints whose
    /// counts are close.
    /// </summary>
    internal static SchedulingProfile LeastLoad { get; } = new(
        ProfileNames.LeastLoad,
        [.. Ready],
        [
            new WeightedScorer(new InFlightRequestsScorer(), 2),
            new WeightedScorer(new InFlightTokensScorer(), 1),
            new WeightedScorer(new KvUtilizationScorer(), 1),
            new WeightedScorer(new WaitingQueueScorer(), 1),
        ],
        new MaxScorePicker());

    /// <summary>Names of all profiles.</summary>
    public static ImmutableArray<string> Names => ProfileNames.All;

    /// <summary>
    /// What a declaration of the profile would say: the same decisions come of it. The base on which declared profiles build; that of least-load for a name that does not
    /// exist.
    /// </summary>
    public static ProfileDeclaration Declare(string name) => name switch
    {
        ProfileNames.Mesh => new ProfileDeclaration { Picker = new(LeastCostPicker.Rule.Name) },
        ProfileNames.RoundRobin => new ProfileDeclaration { Picker = new(RoundRobinPicker.Rule.Name) },
        ProfileNames.Random => new ProfileDeclaration { Picker = new(RandomPicker.Rule.Name) },
        ProfileNames.LeastRequest => new ProfileDeclaration { Scorers = [Weighted(InFlightRequestsScorer.Rule, 1)], Picker = new(MaxScorePicker.Rule.Name) },
        ProfileNames.PowerOfTwo => new ProfileDeclaration { Scorers = [Weighted(InFlightRequestsScorer.Rule, 1)], Picker = new(PowerOfTwoPicker.Rule.Name) },
        ProfileNames.EppDefault => new ProfileDeclaration
        {
            Scorers = [Weighted(QueueDepthScorer.Rule, 2), Weighted(KvUtilizationScorer.Rule, 2), Weighted(PrefixScorer.Rule, 3)],
            Picker = new(MaxScorePicker.Rule.Name),
        },
        ProfileNames.AffinityTokenLoad => new ProfileDeclaration
        {
            Filters = [new(PrefixAffinityFilter.Rule.Name)],
            Scorers = [Weighted(TokenLoadScorer.Rule, 1)],
            Picker = new(MaxScorePicker.Rule.Name),
        },
        ProfileNames.Session => new ProfileDeclaration { Picker = new(SessionPicker.Rule.Name) },
        _ => new ProfileDeclaration
        {
            Scorers =
            [
                Weighted(InFlightRequestsScorer.Rule, 2), Weighted(InFlightTokensScorer.Rule, 1), Weighted(KvUtilizationScorer.Rule, 1),
                Weighted(WaitingQueueScorer.Rule, 1),
            ],
            Picker = new(MaxScorePicker.Rule.Name),
        },
    };

    /// <summary>
    /// A profile by its name. The cost profile's filters come with the rules of least-load, which it does not use. A name that does not
    /// exist gives least-load: validation has told of it.
    /// </summary>
    internal static SchedulingProfile Find(string name) => name switch
    {
        ProfileNames.RoundRobin => new SchedulingProfile(name, [.. Ready], [], new RoundRobinPicker()),
        ProfileNames.Random => new SchedulingProfile(name, [.. Ready], [], new RandomPicker()),
        ProfileNames.LeastRequest => new SchedulingProfile(name, [.. Ready], [new WeightedScorer(new InFlightRequestsScorer(), 1)], new MaxScorePicker()),
        ProfileNames.PowerOfTwo => new SchedulingProfile(name, [.. Ready], [new WeightedScorer(new InFlightRequestsScorer(), 1)], new PowerOfTwoPicker()),
        ProfileNames.EppDefault => new SchedulingProfile(
            name,
            [.. Ready],
            [new WeightedScorer(new QueueDepthScorer(), 2), new WeightedScorer(new KvUtilizationScorer(), 2), new WeightedScorer(new PrefixScorer(), 3)],
            new MaxScorePicker()),
        ProfileNames.AffinityTokenLoad => new SchedulingProfile(
            name, [.. Ready, new PrefixAffinityFilter()], [new WeightedScorer(new TokenLoadScorer(), 1)], new MaxScorePicker()),
        ProfileNames.Session => new SchedulingProfile(name, [.. Ready], [], new SessionPicker()),
        _ => LeastLoad,
    };

    private static ScorerDeclaration Weighted(RuleDefinition rule, double weight) => new(new RuleDeclaration(rule.Name), weight);
}
