using Mesh.Core.Endpoints;
using Mesh.Core.PrefixCache.Crowds;
using Mesh.Core.Randomness;
using Mesh.Core.Scheduling.Cost.Adapters;

namespace Mesh.Core.Scheduling.Cost;

/// <summary>
/// Finds the cheapest endpoints of a large pool without looking at all. The few that hold more of the prompt than many do are looked at first; then the leaf
/// of the tree (<see cref="CostTree"/>) that promises most, found by going down to the block of the least bound; then the others in order from one that is drawn, blocks in which
/// nothing cheaper than what was found can be left out. Among equal endpoints the first found stays, and those of its own leaf have the same chance. What is
/// found is what looking at all in that order finds. Not thread-safe.
/// </summary>
internal sealed class LargePoolSearch(CostModel model, EndpointTable endpoints, Xoshiro256 random)
{
    private readonly LeastWork _leastWork = new(model.Curve);
    private readonly MostHeld _mostHeld = new();
    private CostTree _tree = null!;
    private IPromptHolders? _holders;
    private AdapterCost? _adapter;
    private double _workWeight;
    private double _nowMs;
    private int _first;

    /// <summary>Looks at every block, for comparison.</summary>
    public bool LooksAtAll { get; init; }

    /// <summary>Leaves looked at so far.</summary>
    public long LeavesLookedAt { get; private set; }

    /// <summary>Looks at the endpoints that may be the cheapest.</summary>
    /// <param name="context">A request that fits everywhere.</param>
    /// <param name="among">The endpoints that it may go to.</param>
    /// <param name="scan">Takes what is found.</param>
    /// <param name="adapter">Costs of its adapter; null for none.</param>
    /// <param name="workWeight">w − 1, at least 1.</param>
    /// <param name="nowMs">Now.</param>
    public void Search(in SchedulingContext context, CandidateRows among, ref CostScan scan, AdapterCost? adapter, double workWeight, double nowMs)
    {
        (_holders, _adapter, _workWeight, _nowMs) = (context.Holders, adapter, workWeight, nowMs);
        _tree = endpoints.Costs.Tree(nowMs);
        _leastWork.Start(context.Layout, context.Request.PromptTokens);
        if (_holders is null) _mostHeld.Start(context.HeldBlocks, _tree);

        // :: Step 1: those who hold most, which are in no leaf from here on.
        if (_holders is not null) LookAtListed(in context, among, ref scan);

        // :: Step 2: the leaf that promises most.
        var top = _tree.Levels - 1;
        var fromLeaf = among.First / CostTree.LeafSlots;
        var toLeaf = Math.Min(_tree[0].Length, 1 + ((among.End - 1) / CostTree.LeafSlots));
        var start = fromLeaf + random.NextInt32(toLeaf - fromLeaf);
        _first = Descend(top, start, fromLeaf, toLeaf);
        Look(in context, among, ref scan, _first);

        // :: Step 3: the others, from the one that was drawn to the end and from the beginning.
        Visit(in context, among, ref scan, top, 0, start, toLeaf);
        Visit(in context, among, ref scan, top, 0, fromLeaf, start);
    }

    // On each level the block of the least bound; of equal ones the first from that of the leaf that was drawn.
    private int Descend(int top, int start, int fromLeaf, int toLeaf)
    {
        var best = 0;
        for (var level = top; level >= 0; level--)
        {
            var bits = level * CostTree.FanOutBits;
            var first = Math.Max(level == top ? 0 : best * CostTree.FanOut, fromLeaf >> bits);
            var end = Math.Min(level == top ? _tree[level].Length : (best + 1) * CostTree.FanOut, 1 + ((toLeaf - 1) >> bits));
            var from = start >> bits;
            if (from < first || from >= end) from = first;
            var leastMs = double.PositiveInfinity;
            best = from;
            for (var i = 0; i < end - first; i++)
            {
                var block = from + i < end ? from + i : from + i - (end - first);
                var bound = Bound(level, block);
                if (bound < leastMs) (best, leastMs) = (block, bound);
            }
        }

        return best;
    }

    // The blocks of one level that belong together, from one on, as far as they have leaves in a range.
    private void Visit(in SchedulingContext context, CandidateRows among, ref CostScan scan, int level, int first, int fromLeaf, int toLeaf)
    {
        var blocks = _tree[level];
        var bits = level * CostTree.FanOutBits;
        var end = Math.Min(blocks.Length, first + CostTree.FanOut);
        for (var block = Math.Max(first, fromLeaf >> bits); block < end && (long)block << bits < toLeaf; block++)
        {
            if (level == 0 && block == _first) continue;
            if (!LooksAtAll && !scan.MayFindIn(in blocks[block], Bound(level, block))) continue;
            if (level == 0) Look(in context, among, ref scan, block);
            else Visit(in context, among, ref scan, level - 1, block * CostTree.FanOut, fromLeaf, toLeaf);
        }
    }

    private double Bound(int level, int block)
    {
        var slots = CostTree.SlotsAt(level);
        var (tableMs, steps) = _leastWork.Of(_holders is null ? _mostHeld.In(level, block) : _holders.MostOfCrowds(block * slots, slots));
        var bound = _tree[level][block].Bound(tableMs, steps, _workWeight, _nowMs);
        return _adapter is null ? bound : bound + _adapter.LeastIn(level, block);
    }

    private void LookAtListed(in SchedulingContext context, CandidateRows among, ref CostScan scan)
    {
        scan.Group = -1;
        var rows = endpoints.Costs.Rows;
        foreach (var slot in _holders!.Listed)
        {
            ref readonly var row = ref rows[slot];
            if (among.Has(in row, slot)) scan.Look(in context, slot, in row, endpoints, _holders.OfListed(slot));
        }
    }

    private void Look(in SchedulingContext context, CandidateRows among, ref CostScan scan, int leaf)
    {
        LeavesLookedAt++;
        scan.Group = leaf;
        var rows = endpoints.Costs.Rows;
        var end = Math.Min(Math.Min(rows.Length, among.End), (leaf + 1) * CostTree.LeafSlots);
        for (var slot = Math.Max(among.First, leaf * CostTree.LeafSlots); slot < end; slot++)
        {
            ref readonly var row = ref rows[slot];
            if (!among.Has(in row, slot)) continue;
            if (_holders is null) scan.Look(in context, slot, in row, endpoints, context.HeldBy(slot));
            else if (!_holders.IsListed(slot)) scan.Look(in context, slot, in row, endpoints, _holders.OfCrowds(slot));
        }
    }
}
