using System.Globalization;
using Mesh.Core.Scheduling.Rules;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Reading;

namespace Mesh.Resources.Types;

/// <summary>Reads one rule of a SchedulingProfile, <c>{name, parameters}</c> and for a scorer <c>weight</c>, by the catalog of rules: names, ranges and defaults stand there.</summary>
internal static class ProfileRuleReader
{
    public static ProfileRule? Read(ObjectReader r, RuleKind kind)
    {
        var name = r.String("name", required: true);
        var weight = kind == RuleKind.Scorer ? r.Number("weight", ScorerDeclaration.LeastWeight, ScorerDeclaration.MostWeight) : null;
        var rule = name is null ? null : RuleCatalog.Find(kind, name.Value);
        if (rule is null)
        {
            r.Ignore("parameters");
            if (name is not null) Unknown(r, name, kind);
            return null;
        }

        var declared = r.Object("parameters", p => Parameters(p, rule)) ?? new RuleDeclaration(rule.Name);
        if (rule.AlwaysOn)
            r.Report.Warning(
                name!.At, DiagnosticCodes.RuleUnused, $"Filter {rule.Name} always holds: naming it changes nothing", "remove it");
        return new ProfileRule(rule, declared, weight?.Value ?? 1, r.At);
    }

    /// <summary>A rule as explanations show it: with every parameter, the defaults included.</summary>
    public static string Text(RuleDeclaration declared, RuleDefinition rule)
    {
        var parts = rule.Parameters.Where(p => !p.IsText || declared.Texts.ContainsKey(p.Name)).Select(p => p.IsText
            ? $"{p.Name}={declared.Texts[p.Name]}"
            : $"{p.Name}={declared.Numbers.GetValueOrDefault(p.Name, p.Default).ToString("0.######", CultureInfo.InvariantCulture)}").ToList();
        return parts.Count == 0 ? rule.Name : $"{rule.Name}({string.Join(", ", parts)})";
    }

    private static RuleDeclaration Parameters(ObjectReader p, RuleDefinition rule)
    {
        var declared = new RuleDeclaration(rule.Name);
        foreach (var parameter in rule.Parameters)
        {
            if (parameter.IsText)
            {
                if (p.String(parameter.Name, maxLength: 253) is { } text) declared = declared with { Texts = declared.Texts.Add(parameter.Name, text.Value) };
                continue;
            }

            var value = parameter.IsWhole
                ? p.Int(parameter.Name, (int)parameter.Least, (int)parameter.Most)?.Value
                : p.Number(parameter.Name, parameter.Least, parameter.Most)?.Value;
            if (value is { } number) declared = declared with { Numbers = declared.Numbers.Add(parameter.Name, number) };
        }

        return declared;
    }

    private static void Unknown(ObjectReader r, Located<string> name, RuleKind kind)
    {
        var known = RuleCatalog.Of(kind).Where(d => !d.AlwaysOn).Select(d => d.Name).ToList();
        var word = Word(kind);
        foreach (var other in Enum.GetValues<RuleKind>())
        {
            if (other == kind || RuleCatalog.Find(other, name.Value) is null) continue;
            r.Report.Error(
                name.At, DiagnosticCodes.UnknownValue, $"{name.At.Path} is {name.Value}, which is a {Word(other)} and no {word}",
                $"{word}s are {string.Join(", ", known)}");
            return;
        }

        var nearest = NearestName.Of(name.Value, RuleCatalog.Of(kind).SelectMany(d => d.Aliases.Add(d.Name)));
        r.Report.Error(
            name.At, DiagnosticCodes.UnknownValue, $"{name.At.Path} is {name.Value}; it must be one of {string.Join(", ", known)}",
            nearest is null ? null : $"did you mean {nearest}?");
    }

    private static string Word(RuleKind kind) => kind switch
    {
        RuleKind.Filter => "filter",
        RuleKind.Scorer => "scorer",
        _ => "picker",
    };
}

/// <summary>A rule that a profile names.</summary>
/// <param name="Rule">The rule.</param>
/// <param name="Declared">Its parameters.</param>
/// <param name="Weight">Of a scorer; 1 for the others.</param>
/// <param name="At">Place of the object.</param>
internal sealed record ProfileRule(RuleDefinition Rule, RuleDeclaration Declared, double Weight, Spot At);
