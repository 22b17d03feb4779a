namespace Mesh.Core.Leases;

/// <summary>One reservation.</summary>
/// <param name="Epoch">Epoch of the pool state that handed it out: an id of an earlier one is refused.</param>
/// <param name="Sequence">Unique within the epoch.</param>
public readonly record struct LeaseId(long Epoch, long Sequence)
{
    /// <summary><c>epoch-sequence</c>.</summary>
    public override string ToString() => $"{Epoch}-{Sequence}";
}
