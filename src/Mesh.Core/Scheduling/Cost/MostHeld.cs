using System.Runtime.Intrinsics;

namespace Mesh.Core.Scheduling.Cost;

/// <summary>The most blocks of a prompt that an endpoint of each block of a <see cref="CostTree"/> holds, where a list tells what every endpoint holds. Not thread-safe.</summary>
internal sealed class MostHeld
{
    private int[][] _levels = [];
    private bool _isEmpty;

    /// <summary>Looks at a list.</summary>
    /// <param name="heldBlocks">Blocks held, by slot; empty for none.</param>
    /// <param name="tree">The tree over the slots.</param>
    public void Start(ReadOnlySpan<int> heldBlocks, CostTree tree)
    {
        _isEmpty = heldBlocks.IsEmpty;
        if (_isEmpty) return;
        if (_levels.Length != tree.Levels || _levels[0].Length != tree[0].Length)
        {
            _levels = new int[tree.Levels][];
            for (var level = 0; level < _levels.Length; level++) _levels[level] = new int[tree[level].Length];
        }

        for (var leaf = 0; leaf < _levels[0].Length; leaf++) _levels[0][leaf] = OfLeaf(heldBlocks, leaf * CostTree.LeafSlots);
        for (var level = 1; level < _levels.Length; level++)
        {
            for (var block = 0; block < _levels[level].Length; block++)
            {
                var first = block * CostTree.FanOut;
                _levels[level][block] = Most(_levels[level - 1].AsSpan(first, Math.Min(_levels[level - 1].Length - first, CostTree.FanOut)));
            }
        }
    }

    /// <summary>What no endpoint of a block holds more than.</summary>
    public int In(int level, int block) => _isEmpty ? 0 : _levels[level][block];

    private static int OfLeaf(ReadOnlySpan<int> heldBlocks, int first)
    {
        if (first + Vector256<int>.Count > heldBlocks.Length || !Vector256.IsHardwareAccelerated) return Most(heldBlocks[first..Math.Min(heldBlocks.Length, first + CostTree.LeafSlots)]);
        var eight = Vector256.Create(heldBlocks.Slice(first, CostTree.LeafSlots));
        var four = Vector128.Max(eight.GetLower(), eight.GetUpper());
        return Math.Max(Math.Max(four[0], four[1]), Math.Max(four[2], four[3]));
    }

    private static int Most(ReadOnlySpan<int> held)
    {
        var most = 0;
        foreach (var blocks in held) most = Math.Max(most, blocks);
        return most;
    }
}
