using Mesh.Gateway.Limits;

namespace Mesh.Gateway.Keys;

/// <summary>Who sent a request, by the key that it came with, and what that key may. Immutable but for the rates, which outlive edits of the key file.</summary>
internal sealed class Caller
{
    /// <summary>Name of the key; never the key.</summary>
    public required string Id { get; init; }

    /// <summary>What it opens.</summary>
    public required KeyRoles Roles { get; init; }

    /// <summary>Models that it may ask for.</summary>
    public Globs Models { get; init; } = Globs.Any;

    /// <summary>Objectives that it may name.</summary>
    public Globs Objectives { get; init; } = Globs.Any;

    /// <summary>Cap on the priority; null without one.</summary>
    public int? MaxPriority { get; init; }

    /// <summary>Flow for fairness; null leaves it to the client.</summary>
    public string? FairnessId { get; init; }

    /// <summary>End of the key; the greatest time for one without an end.</summary>
    public DateTimeOffset NotAfter { get; init; } = DateTimeOffset.MaxValue;

    /// <summary>What it may use in a minute; null without limits.</summary>
    public CallerRates? Rates { get; init; }

    /// <summary>Priority that an objective's gives a request of this key.</summary>
    public int PriorityFor(int priority) => MaxPriority is { } cap && priority > cap ? cap : priority;
}
