namespace Mesh.Core.FlowControl;

/// <summary>
/// Waiting requests that fit into the same places: those of one model. Where the first of them finds no place, none of the others does, and
/// none of them needs to be asked. Requests with wishes of their own (a subset, exclusions, a sticky endpoint) make one class in which
/// that does not hold.
/// </summary>
internal sealed class WaitClass
{
    public string? Model { get; set; }

    public bool HasOwnWishes { get; set; }

    public int Count { get; set; }

    /// <summary>The pass in which a place was sought in vain.</summary>
    public long RuledOutIn { get; set; }
}
