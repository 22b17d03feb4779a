using System.Globalization;
using Mesh.Core.Config;
using Mesh.Core.Scheduling;
using Mesh.Core.Scheduling.Rules;
using Mesh.Resources.Reading;
using Mesh.Resources.Types;

namespace Mesh.Resources.Compiling;

/// <summary>Scheduling of a pool: what its SchedulingProfile says, and the defaults for the rest.</summary>
internal static class SchedulingCompiler
{
    public static SchedulingConfig Compile(SchedulingProfile? profile)
    {
        var builtIn = new SchedulingConfig();
        if (profile is null) return builtIn;
        var late = profile.LateBinding;
        var declared = profile.Declared;
        return new SchedulingConfig
        {
            Profile = declared is not null ? profile.Header.FullName : profile.BuiltIn?.Value ?? builtIn.Profile,
            Declared = declared,
            BindAhead = profile.BindsLate is { Value: false } || late is { Enabled.Value: false } ? null
                : late is { BindAheadMs: { } ahead } ? TimeSpan.FromMilliseconds(ahead.Value)
                : builtIn.BindAhead,
            TimePerOutputTokenTarget = profile.TimePerOutputTokenTargetMs is { } target
                ? TimeSpan.FromMilliseconds(target.Value) : builtIn.TimePerOutputTokenTarget,
            StepTimes = profile.StepTimes?.Value ?? builtIn.StepTimes,
        };
    }

    /// <summary>Each setting as a person would write it, with the place of its field; null where the default holds.</summary>
    public static IEnumerable<(string Name, string Value, Spot? At)> Describe(SchedulingConfig config, SchedulingProfile? profile)
    {
        var rules = profile?.Rules;
        var whole = config.Declared ?? BuiltInProfiles.Declare(config.Profile);
        if (config.Declared is null || profile?.BuiltIn is not null)
            yield return ("scheduling.builtIn", profile?.BuiltIn?.Value ?? config.Profile, profile?.BuiltIn?.At);
        yield return ("scheduling.filters", Filters(whole), rules?.Filters?.At);
        yield return ("scheduling.scorers", Scorers(whole), rules?.Scorers?.At);
        yield return ("scheduling.picker", Text(RuleKind.Picker, whole.Picker), rules?.Picker?.At);

        // Only cost profiles bind late; of the others it would be said in vain.
        if (config.ChoosesByCost)
        {
            var late = profile?.LateBinding;
            yield return (
                "scheduling.lateBinding",
                config.BindAhead is { } ahead ? $"on, {Milliseconds(ahead)} ahead" : "off", profile?.BindsLate?.At ?? late?.BindAheadMs?.At ?? late?.Enabled?.At);
        }

        yield return (
            "scheduling.timePerOutputTokenTargetMs", Milliseconds(config.TimePerOutputTokenTarget),
            profile?.TimePerOutputTokenTargetMs?.At);
        yield return ("scheduling.stepTimes", StepTimesReader.Title(config.StepTimes), profile?.StepTimes?.At);
    }

    private static string Filters(ProfileDeclaration whole) =>
        string.Join(", ", RuleCatalog.Filters.Where(f => f.AlwaysOn).Select(f => f.Name).Concat(whole.Filters.Select(f => Text(RuleKind.Filter, f))));

    private static string Scorers(ProfileDeclaration whole) => whole.Scorers.IsEmpty
        ? "none"
        : string.Join(" + ", whole.Scorers.Select(s => string.Create(CultureInfo.InvariantCulture, $"{s.Weight:0.######} × {Text(RuleKind.Scorer, s.Rule)}")));

    private static string Text(RuleKind kind, RuleDeclaration declared) =>
        RuleCatalog.Find(kind, declared.Name) is { } rule ? ProfileRuleReader.Text(declared, rule) : declared.Name;

    private static string Milliseconds(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds} ms");
}
