using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Mesh.Core.Config;

namespace Mesh.Core.HttpRouting;

/// <summary>One header or query match.</summary>
internal sealed class ValueMatcher
{
    private readonly string _value;
    private readonly Regex? _pattern;

    private ValueMatcher(NamedMatch match)
    {
        Name = match.Name;
        _value = match.Value;
        _pattern = match.IsRegularExpression ? Patterns.WholeValue(match.Value) : null;
    }

    public string Name { get; }

    /// <summary>Compiles a list in which, as Gateway API has it, only the first of entries with equal names counts.</summary>
    public static ImmutableArray<ValueMatcher> CompileAll(ImmutableArray<NamedMatch> matches, StringComparer names)
    {
        if (matches.IsDefaultOrEmpty) return [];
        var seen = new HashSet<string>(names);
        var compiled = ImmutableArray.CreateBuilder<ValueMatcher>(matches.Length);
        foreach (var match in matches)
        {
            if (seen.Add(match.Name)) compiled.Add(new ValueMatcher(match));
        }

        return compiled.DrainToImmutable();
    }

    public bool Matches(string? value)
    {
        if (value is null) return false;
        return _pattern?.IsMatch(value) ?? string.Equals(value, _value, StringComparison.Ordinal);
    }
}
