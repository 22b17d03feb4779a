namespace Mesh.Core.Scheduling.Cost.Adapters;

/// <summary>
/// Finds the least time until a further prompt's first token, <c>wait + decode</c>, of the ready endpoints that have an adapter, and of those that could load it at
/// once, without a look at all. Not thread-safe.
/// </summary>
internal sealed class WaitTree : BlockTree<WaitBlock>
{
    /// <summary>Looks again at what has changed.</summary>
    public void Update(ReadOnlySpan<CostRow> rows, AdapterIndex adapters)
    {
        SetSlots(rows.Length);
        while (TryTakeChanged(out var leaf))
        {
            var first = leaf * LeafSlots;
            var block = WaitBlock.Nobody;
            for (var slot = first; slot < Math.Min(rows.Length, first + LeafSlots); slot++)
            {
                if (rows[slot].IsReady) block.Add(in rows[slot], adapters.IsFree(slot));
            }

            SetLeaf(leaf, in block);
        }

        Raise();
    }

    /// <summary>False where none of a block's endpoints has a slot free.</summary>
    public bool HasFree(int level, int block) => !double.IsPositiveInfinity(this[level][block].FreeLeastMs);

    /// <summary>The least of those that are in some places; infinite when there is none.</summary>
    public double LeastAt(ReadOnlySpan<CostRow> rows, AdapterIndex adapters, AdapterPlaces places, double nowMs) => Search(new Query(rows, adapters, places, free: false, nowMs));

    /// <summary>The least of those that have a slot free and are in none of these places; infinite when there is none.</summary>
    public double LeastFree(ReadOnlySpan<CostRow> rows, AdapterIndex adapters, AdapterPlaces? places, double nowMs) => Search(new Query(rows, adapters, places, free: true, nowMs));

    private double Search(Query query)
    {
        var least = double.PositiveInfinity;
        // :: Step 1: down to the leaf that promises most, so that little is left to be looked at.
        var (block, first, end) = (-1, 0, this[Levels - 1].Length);
        for (var level = Levels - 1; level >= 0; level--)
        {
            block = Best(in query, level, first, end);
            if (block < 0) return least;
            if (level > 0) (first, end) = (block * FanOut, Math.Min(this[level - 1].Length, (block + 1) * FanOut));
        }

        Look(in query, block, ref least);

        // :: Step 2: all that may be less.
        Visit(in query, Levels - 1, 0, ref least);
        return least;
    }

    private int Best(in Query query, int level, int first, int end)
    {
        var (best, bestMs) = (-1, double.PositiveInfinity);
        for (var block = first; block < end; block++)
        {
            var bound = Bound(in query, level, block);
            if (bound < bestMs) (best, bestMs) = (block, bound);
        }

        return best;
    }

    private void Visit(in Query query, int level, int first, ref double least)
    {
        var end = Math.Min(this[level].Length, first + FanOut);
        for (var block = first; block < end; block++)
        {
            if (Bound(in query, level, block) >= least) continue;
            if (level == 0) Look(in query, block, ref least);
            else Visit(in query, level - 1, block * FanOut, ref least);
        }
    }

    private double Bound(in Query query, int level, int block)
    {
        ref readonly var summary = ref this[level][block];
        if (query.Free) return WaitBlock.Bound(summary.FreeUntilMs, summary.FreeLeastMs, query.NowMs);
        return query.Places!.Slots.HasAny(block * SlotsAt(level), SlotsAt(level)) ? WaitBlock.Bound(summary.UntilMs, summary.LeastMs, query.NowMs) : double.PositiveInfinity;
    }

    private static void Look(in Query query, int leaf, ref double least)
    {
        for (var slot = leaf * LeafSlots; slot < Math.Min(query.Rows.Length, (leaf + 1) * LeafSlots); slot++)
        {
            ref readonly var row = ref query.Rows[slot];
            if (!row.IsReady || query.Adapters.StateOf(slot, query.Places) is var state && (query.Free ? state != Endpoints.AdapterState.FreeSlot : state != Endpoints.AdapterState.Loaded)) continue;
            least = Math.Min(least, row.WaitMs(query.NowMs) + row.DecodeMs);
        }
    }

    private readonly ref struct Query(ReadOnlySpan<CostRow> rows, AdapterIndex adapters, AdapterPlaces? places, bool free, double nowMs)
    {
        public ReadOnlySpan<CostRow> Rows { get; } = rows;

        public AdapterIndex Adapters { get; } = adapters;

        public AdapterPlaces? Places { get; } = places;

        public bool Free { get; } = free;

        public double NowMs { get; } = nowMs;
    }
}
