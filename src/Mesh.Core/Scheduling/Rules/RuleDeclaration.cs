using System.Collections.Immutable;

namespace Mesh.Core.Scheduling.Rules;

/// <summary>A rule as a profile names it, with the parameters that depart from the defaults. Immutable; equal by value.</summary>
/// <param name="Name">Name of the rule, as the catalog has it.</param>
public sealed record RuleDeclaration(string Name)
{
    /// <summary>Parameters that are numbers, by name.</summary>
    public ImmutableSortedDictionary<string, double> Numbers { get; init; } = ImmutableSortedDictionary.Create<string, double>(StringComparer.Ordinal);

    /// <summary>Parameters that are texts, by name.</summary>
    public ImmutableSortedDictionary<string, string> Texts { get; init; } = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);

    /// <inheritdoc/>
    public bool Equals(RuleDeclaration? other) =>
        other is not null && Name == other.Name && Numbers.SequenceEqual(other.Numbers) && Texts.SequenceEqual(other.Texts);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(StringComparer.Ordinal.GetHashCode(Name), Numbers.Count, Texts.Count);

    /// <summary>The name, and the parameters in parentheses: <c>low-queue(maxWaiting=5)</c>.</summary>
    public override string ToString()
    {
        if (Numbers.IsEmpty && Texts.IsEmpty) return Name;
        var parts = Numbers.Select(p => (p.Key, Value: p.Value.ToString("0.######", System.Globalization.CultureInfo.InvariantCulture)))
            .Concat(Texts.Select(p => (p.Key, p.Value))).OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => $"{p.Key}={p.Value}");
        return $"{Name}({string.Join(", ", parts)})";
    }
}

/// <summary>A scorer as a profile names it, and how much it counts.</summary>
/// <param name="Rule">The rule.</param>
/// <param name="Weight">Factor of its scores, 0.001–1,000.</param>
public sealed record ScorerDeclaration(RuleDeclaration Rule, double Weight)
{
    /// <summary>Least weight.</summary>
    public const double LeastWeight = 0.001;

    /// <summary>Greatest weight.</summary>
    public const double MostWeight = 1000;

    /// <summary><c>2 × queue-depth</c>.</summary>
    public override string ToString() => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Weight:0.######} × {Rule}");
}
