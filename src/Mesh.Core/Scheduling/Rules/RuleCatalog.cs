using System.Collections.Immutable;
using Mesh.Core.Scheduling.Filters;
using Mesh.Core.Scheduling.Pickers;
using Mesh.Core.Scheduling.Scorers;

namespace Mesh.Core.Scheduling.Rules;

/// <summary>All rules that a profile can be put together from. To add one: a file in Filters/, Scorers/ or Pickers/, and a line here.</summary>
public static class RuleCatalog
{
    /// <summary>Filters: first those that always hold, in the order in which they run, then the others by name.</summary>
    public static ImmutableArray<RuleDefinition> Filters { get; } =
    [
        NotDrainingFilter.Rule, HealthyFilter.Rule, ServesModelFilter.Rule, SubsetFilter.Rule, NotExcludedFilter.Rule, NotEjectedFilter.Rule,
        LeastKvFilter.Rule, LeastQueueFilter.Rule, LocationFilter.Rule, LoraAffinityFilter.Rule, LowKvFilter.Rule, LowQueueFilter.Rule, PrefixAffinityFilter.Rule,
    ];

    /// <summary>Scorers by name.</summary>
    public static ImmutableArray<RuleDefinition> Scorers { get; } =
    [
        InFlightRequestsScorer.Rule, InFlightTokensScorer.Rule, KvUtilizationScorer.Rule, LoraAffinityScorer.Rule, PredictedTpotScorer.Rule, PredictedTtftScorer.Rule,
        PrefixScorer.Rule, QueueDepthScorer.Rule, RunningRequestsScorer.Rule, SessionScorer.Rule, TokenLoadScorer.Rule, WaitingQueueScorer.Rule,
    ];

    /// <summary>Pickers by name.</summary>
    public static ImmutableArray<RuleDefinition> Pickers { get; } =
    [
        LeastCostPicker.Rule, MaxScorePicker.Rule, PowerOfTwoPicker.Rule, RandomPicker.Rule, RoundRobinPicker.Rule, SessionPicker.Rule, WeightedRandomPicker.Rule,
    ];

    /// <summary>Rules of one kind.</summary>
    public static ImmutableArray<RuleDefinition> Of(RuleKind kind) => kind switch
    {
        RuleKind.Filter => Filters,
        RuleKind.Scorer => Scorers,
        _ => Pickers,
    };

    /// <summary>A rule by its name or an alias; null when there is none.</summary>
    public static RuleDefinition? Find(RuleKind kind, string name) => Of(kind).FirstOrDefault(r => r.Name == name || r.Aliases.Contains(name));
}
