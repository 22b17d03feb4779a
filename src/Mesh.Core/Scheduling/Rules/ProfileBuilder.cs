using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.Scheduling.Pickers;

namespace Mesh.Core.Scheduling.Rules;

/// <summary>From a configuration to the profile that runs. A rule that the catalog does not have is passed over: validation has told of it.</summary>
internal static class ProfileBuilder
{
    /// <summary>Makes a profile of its own for one pool: pickers may keep their place.</summary>
    public static SchedulingProfile Build(SchedulingConfig config)
    {
        if (config.Declared is not { } declared) return BuiltInProfiles.Find(config.Profile);
        var filters = ImmutableArray.CreateBuilder<IEndpointFilter>();
        foreach (var guard in RuleCatalog.Filters)
        {
            if (guard.AlwaysOn) filters.Add(guard.Make<IEndpointFilter>(new RuleDeclaration(guard.Name)));
        }
        foreach (var filter in declared.Filters)
        {
            if (RuleCatalog.Find(RuleKind.Filter, filter.Name) is { AlwaysOn: false } rule) filters.Add(rule.Make<IEndpointFilter>(filter));
        }
        var scorers = ImmutableArray.CreateBuilder<WeightedScorer>();
        foreach (var scorer in declared.Scorers)
        {
            if (RuleCatalog.Find(RuleKind.Scorer, scorer.Rule.Name) is { } rule) scorers.Add(new WeightedScorer(rule.Make<IEndpointScorer>(scorer.Rule), scorer.Weight));
        }
        var picker = RuleCatalog.Find(RuleKind.Picker, declared.Picker.Name)?.Make<IEndpointPicker>(declared.Picker) ?? new MaxScorePicker();
        return new SchedulingProfile(config.Profile, filters.DrainToImmutable(), scorers.DrainToImmutable(), picker);
    }
}
