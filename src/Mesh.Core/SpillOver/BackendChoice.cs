namespace Mesh.Core.SpillOver;

/// <summary>The outcome of choosing a backend.</summary>
/// <param name="Backend">Index of the backend; −1 when none can serve.</param>
/// <param name="Tier">Tier it was found in, from 0; −1 when every tier was at target.</param>
/// <param name="Kind">How it was found.</param>
internal readonly record struct BackendChoice(int Backend, int Tier, ChoiceKind Kind)
{
    /// <summary>True when no other backend had room for what this one should pass on for its poor health.</summary>
    public bool PassesOn { get; init; }

    /// <summary>No backend can serve.</summary>
    public static BackendChoice None => new(-1, -1, ChoiceKind.None);
}

/// <summary>How a backend was found.</summary>
internal enum ChoiceKind
{
    /// <summary>None was.</summary>
    None,

    /// <summary>Room in the first tier.</summary>
    FirstTier,

    /// <summary>Room in a later tier.</summary>
    Overflow,

    /// <summary>Every backend is at target.</summary>
    Overfill,

    /// <summary>Only drained backends are left.</summary>
    LastResort,
}
