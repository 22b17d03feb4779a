using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Mesh.Core.Endpoints;
using Mesh.Core.Randomness;

namespace Mesh.Core.Scheduling.Cost;

/// <summary>
/// Finds the cheapest endpoints of a large pool without looking at all: a block of endpoints is looked at only if none of what its costs are
/// made of rules out that it holds a cheaper one than those found so far (<see cref="CostBlock"/>). The block that promises most comes first, the
/// others in order from one that is drawn; among equal endpoints the first found stays, and those of its own block have the same chance. What is found is what
/// looking at all blocks in that order finds. Not thread-safe.
/// </summary>
internal sealed class LargePoolSearch(CostModel model, EndpointTable endpoints, Xoshiro256 random)
{
    private double[] _bounds = [];

    /// <summary>Looks at every block, for comparison.</summary>
    public bool LooksAtAll { get; init; }

    /// <summary>Blocks looked at so far.</summary>
    public long BlocksLookedAt { get; private set; }

    /// <summary>Looks at the endpoints that may be the cheapest.</summary>
    /// <param name="context">A request that fits everywhere.</param>
    /// <param name="excluded">Backends left out, by index.</param>
    /// <param name="scan">Takes what is found.</param>
    /// <param name="workWeight">w − 1, at least 1.</param>
    /// <param name="nowMs">Now.</param>
    public void Search(in SchedulingContext context, ReadOnlySpan<bool> excluded, ref CostScan scan, double workWeight, double nowMs)
    {
        var rows = endpoints.Costs.Rows;
        var blocks = endpoints.Costs.Blocks(nowMs);
        if (_bounds.Length < blocks.Length) _bounds = new double[Math.Max(blocks.Length, 2 * _bounds.Length)];
        var start = random.NextInt32(blocks.Length);
        var first = Bound(in context, blocks, ref scan, workWeight, nowMs, start);
        Look(in context, rows, excluded, ref scan, first);
        for (var i = 0; i < blocks.Length; i++)
        {
            var block = start + i;
            if (block >= blocks.Length) block -= blocks.Length;
            if (block != first && (LooksAtAll || scan.MayFindIn(in blocks[block], _bounds[block]))) Look(in context, rows, excluded, ref scan, block);
        }
    }

    // The block of the least bound, the first of equal ones from where the search starts.
    private int Bound(in SchedulingContext context, ReadOnlySpan<CostBlock> blocks, ref CostScan scan, double workWeight, double nowMs, int start)
    {
        var (least, leastMs) = (start, double.PositiveInfinity);
        var (held, tableMs, steps) = (-1, 0.0, 0);
        for (var i = 0; i < blocks.Length; i++)
        {
            var most = MostHeld(context.HeldBlocks, i * CostBlocks.Size);
            if (most != held)
            {
                held = most;
                (tableMs, steps) = scan.LeastWork(in context, held, model.Curve);
            }

            var bound = blocks[i].Bound(tableMs, steps, workWeight, nowMs);
            _bounds[i] = bound;
            if (bound > leastMs || (bound == leastMs && (least >= start || i < start))) continue;
            (least, leastMs) = (i, bound);
        }

        return least;
    }

    private static int MostHeld(ReadOnlySpan<int> heldBlocks, int first)
    {
        if (heldBlocks.IsEmpty) return 0;
        var most = 0;
        if (first + CostBlocks.Size <= heldBlocks.Length && Vector256.IsHardwareAccelerated)
        {
            ref var at = ref MemoryMarshal.GetReference(heldBlocks[first..]);
            var eight = Vector256.Max(Vector256.LoadUnsafe(ref at), Vector256.LoadUnsafe(ref at, 8));
            var four = Vector128.Max(eight.GetLower(), eight.GetUpper());
            for (var i = 0; i < 4; i++) most = Math.Max(most, four[i]);
            return most;
        }

        foreach (var held in heldBlocks[first..Math.Min(heldBlocks.Length, first + CostBlocks.Size)]) most = Math.Max(most, held);
        return most;
    }

    private void Look(in SchedulingContext context, ReadOnlySpan<CostRow> rows, ReadOnlySpan<bool> excluded, ref CostScan scan, int block)
    {
        BlocksLookedAt++;
        scan.Group = block;
        var end = Math.Min(rows.Length, (block + 1) * CostBlocks.Size);
        for (var slot = block * CostBlocks.Size; slot < end; slot++)
        {
            ref readonly var row = ref rows[slot];
            if (row.MayBeChosen && !excluded[row.Backend]) scan.Look(in context, slot, in row, endpoints);
        }
    }
}
