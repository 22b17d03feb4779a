namespace Mesh.Core.Scheduling.Cost;

/// <summary>The rows of a large pool in a tree of blocks, each with the least of what the costs of its endpoints are made of. Not thread-safe.</summary>
internal sealed class CostTree : BlockTree<CostBlock>
{
    /// <summary>Looks again at what has changed.</summary>
    /// <param name="rows">Rows of all slots.</param>
    /// <param name="nowMs">Now.</param>
    public void Update(ReadOnlySpan<CostRow> rows, double nowMs)
    {
        while (TryTakeChanged(out var leaf))
        {
            var first = leaf * LeafSlots;
            SetLeaf(leaf, CostBlock.Of(rows[first..Math.Min(rows.Length, first + LeafSlots)], nowMs));
        }

        Raise();
    }
}
