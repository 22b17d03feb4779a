using System.Collections.Immutable;

namespace Mesh.Core.Scheduling.Rules;

/// <summary>
/// A profile put together from rules of the <see cref="RuleCatalog"/>: filters in their order, weighted scorers, and a picker. The filters
/// that always hold (<see cref="RuleDefinition.AlwaysOn"/>) come first and are not named. Immutable; equal by value, so that a configuration that is read again
/// changes nothing.
/// </summary>
public sealed record ProfileDeclaration
{
    /// <summary>Filters after those that always hold, in their order; never default.</summary>
    public ImmutableArray<RuleDeclaration> Filters { get; init; } = [];

    /// <summary>Scorers; never default.</summary>
    public ImmutableArray<ScorerDeclaration> Scorers { get; init; } = [];

    /// <summary>The picker.</summary>
    public required RuleDeclaration Picker { get; init; }

    /// <inheritdoc/>
    public bool Equals(ProfileDeclaration? other) =>
        other is not null && Picker == other.Picker && Filters.SequenceEqual(other.Filters) && Scorers.SequenceEqual(other.Scorers);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Picker, Filters.Length, Scorers.Length);
}
