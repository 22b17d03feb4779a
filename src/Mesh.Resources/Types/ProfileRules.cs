using System.Collections.Immutable;
using Mesh.Core.Scheduling;
using Mesh.Core.Scheduling.Rules;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Reading;

namespace Mesh.Resources.Types;

/// <summary>
/// The rules of a SchedulingProfile. What it does not declare comes from the profile that it names in <c>builtIn</c>; without one, from <c>mesh</c> where it declares filters alone, and else
/// there are no other scorers and the picker is max-score.
/// </summary>
internal sealed record ProfileRules
{
    private const int MaxRules = 16;

    /// <summary>Declared filters; null where they are left to the base.</summary>
    public Located<ImmutableArray<ProfileRule>>? Filters { get; private init; }

    /// <summary>Declared scorers; null where they are left to the base.</summary>
    public Located<ImmutableArray<ProfileRule>>? Scorers { get; private init; }

    /// <summary>Declared picker; null where it is left to the base.</summary>
    public ProfileRule? Picker { get; private init; }

    /// <summary>True when something is declared.</summary>
    public bool Any => Filters is not null || Scorers is not null || Picker is not null;

    public static ProfileRules Read(ObjectReader spec) => new()
    {
        Filters = spec.Has("filters") ? List(spec, "filters", RuleKind.Filter) : Nothing(spec, "filters"),
        Scorers = spec.Has("scorers") ? List(spec, "scorers", RuleKind.Scorer) : Nothing(spec, "scorers"),
        Picker = spec.Object("picker", r => ProfileRuleReader.Read(r, RuleKind.Picker)),
    };

    /// <summary>The whole profile.</summary>
    /// <param name="builtIn">Profile that it builds on; null without one.</param>
    public ProfileDeclaration Over(string? builtIn)
    {
        var basis = builtIn is not null ? BuiltInProfiles.Declare(builtIn)
            : Scorers is null && Picker is null ? BuiltInProfiles.Declare(ProfileNames.Mesh)
            : new ProfileDeclaration { Picker = new RuleDeclaration("max-score") };
        return new ProfileDeclaration
        {
            Filters = Filters is null ? basis.Filters : [.. Filters.Value.Where(f => !f.Rule.AlwaysOn).Select(f => f.Declared)],
            Scorers = Scorers is null ? basis.Scorers : [.. Scorers.Value.Select(s => new ScorerDeclaration(s.Declared, s.Weight))],
            Picker = Picker?.Declared ?? basis.Picker,
        };
    }

    /// <summary>Tells of every rule that has no effect.</summary>
    public void Check(ObjectReader spec, Located<string>? builtIn)
    {
        if (Filters is not null) Repeated(spec, Filters.Value, "filter");
        if (Scorers is not null) Repeated(spec, Scorers.Value, "scorer");
        if (builtIn is not null && Filters is not null && Scorers is not null && Picker is not null)
            spec.Report.Warning(
                builtIn.At, DiagnosticCodes.RuleUnused, $"{builtIn.At.Path} has no effect: filters, scorers and picker are all declared", "remove it, or one of the three");
        if (spec.Report.FirstErrorUnder(spec.At) is not null) return;
        Shadowed(spec);
        var whole = Over(builtIn?.Value);
        if (RuleCatalog.Find(RuleKind.Picker, whole.Picker.Name) is not { } picker) return;
        if (Scorers is { Value.IsEmpty: false } && !picker.UsesScores)
            spec.Report.Warning(
                Scorers.At, DiagnosticCodes.RuleUnused, $"Picker {picker.Name} does not look at scores: the scorers have no effect",
                "name a picker that does: max-score, weighted-random or power-of-two");
        if (Picker is not null && picker.UsesScores && whole.Scorers.IsEmpty)
            spec.Report.Warning(
                Picker.At, DiagnosticCodes.RuleUnused, $"Picker {picker.Name} has no scorers to go by: it takes any endpoint", "declare scorers, or write picker: {name: random}");
    }

    private static Located<ImmutableArray<ProfileRule>> List(ObjectReader spec, string name, RuleKind kind) =>
        new(spec.List(name, r => ProfileRuleReader.Read(r, kind), max: MaxRules), spec.SpotOf(name));

    private static Located<ImmutableArray<ProfileRule>>? Nothing(ObjectReader spec, string name)
    {
        spec.Ignore(name);
        return null;
    }

    private static void Repeated(ObjectReader spec, ImmutableArray<ProfileRule> rules, string word)
    {
        for (var i = 1; i < rules.Length; i++)
        {
            if (rules[..i].FirstOrDefault(r => r.Declared == rules[i].Declared) is not { } first) continue;
            spec.Report.Warning(
                rules[i].At, DiagnosticCodes.DuplicateValue, $"The {word} {rules[i].Declared} stands twice, first in {first.At}",
                word == "scorer" ? $"keep one of them; both count: weight: {first.Weight + rules[i].Weight:0.###}" : "keep one of them");
        }
    }

    // Two limits of one measure: the wider one leaves out nobody whom the narrower has let pass.
    private void Shadowed(ObjectReader spec)
    {
        if (Filters is null) return;
        var filters = Filters.Value;
        for (var i = 0; i < filters.Length; i++)
        {
            if (filters[i].Rule.Parameters.All(p => p.IsText) && !filters[i].Rule.Parameters.IsEmpty && filters[i].Declared.Texts.IsEmpty)
                spec.Report.Warning(
                    filters[i].At, DiagnosticCodes.RuleUnused, $"Filter {filters[i].Rule.Name} names nothing: everyone passes",
                    $"give it {string.Join(" or ", filters[i].Rule.Parameters.Select(p => p.Name))} under parameters");
            if (filters[i].Rule.Name is not ("low-queue" or "low-kv")) continue;
            var limit = Limit(filters[i]);
            if (filters[..i].FirstOrDefault(f => f.Rule == filters[i].Rule && f.Declared != filters[i].Declared && Limit(f) <= limit) is { } narrower)
                spec.Report.Warning(
                    filters[i].At, DiagnosticCodes.RuleUnused, $"Filter {filters[i].Declared} leaves out nobody whom {narrower.Declared} in {narrower.At} lets pass", "remove it");
        }
    }

    private static double Limit(ProfileRule filter) => filter.Declared.Numbers.GetValueOrDefault(filter.Rule.Parameters[0].Name, filter.Rule.Parameters[0].Default);
}
