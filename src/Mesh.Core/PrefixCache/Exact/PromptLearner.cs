namespace Mesh.Core.PrefixCache.Exact;

/// <summary>
/// Learns which of an endpoint's blocks a prompt became. When a request has ended, its usage tells how many tokens its prompt and answer
/// had: it is the end of a prompt at that depth which grew at that endpoint while the request ran. Where several could be it, what is known
/// of the prompt's beginning decides, and otherwise nothing is learned. The places between the ends follow in proportion; where two
/// prompts part, the block at which they part puts their common places right.
/// </summary>
internal sealed class PromptLearner(ExactIndex index, PrefixLayout layout)
{
    private const int MaxCandidates = 8;

    // Two prompts that part before this share of the way to a place that they have in common cannot both have been matched rightly.
    private const double LeastPlausibleShare = 0.6;
    private readonly int[] _candidates = new int[MaxCandidates];
    private readonly ulong[] _doubted = new ulong[64];
    private int _count;

    public long Learned { get; private set; }

    public long Ambiguous { get; private set; }

    public long Unmatched { get; private set; }

    public long Corrected { get; private set; }

    public long Contradicted { get; private set; }

    /// <summary>Learns from a request that has ended with its usage known. False, but for the last try, when a later try may tell more.</summary>
    public bool Learn(SentPrompt prompt, bool isLastTry)
    {
        // :: Step 1: the ends of prompts that could be its own.
        Collect(prompt, continued: false);
        if (_count == 0) Collect(prompt, continued: true);
        if (_count == 0)
        {
            if (isLastTry) Unmatched++;
            return false;
        }

        // :: Step 2: of these, the ones that begin as the prompt is known to.
        var (anchor, anchorNode) = Anchor(prompt.Chain);
        var only = _count == 1 ? _candidates[0] : -1;
        if (anchorNode >= 0) Keep(anchorNode);
        if (_count == 0)
        {
            if (only >= 0 && TryCorrect(prompt, anchor, anchorNode, only)) return true;
            if (only >= 0) return true;
            if (isLastTry) Ambiguous++;
            return false;
        }

        // :: Step 3: those that are the same up to the prompt's end are as good as one.
        var blockTokens = BlockTokens(prompt.Slot);
        var promptEnd = prompt.PromptTokens / blockTokens * blockTokens;
        // Of an end that has been given up in part, what is left counts.
        for (var i = 0; i < _count; i++) promptEnd = Math.Min(promptEnd, index.Table.Node(_candidates[i]).EndTokens);
        var path = AncestorAt(_candidates[0], promptEnd);
        for (var i = 1; i < _count; i++)
        {
            if (AncestorAt(_candidates[i], promptEnd) == path) continue;
            // Of those that are being written now, others will have grown on soon.
            if (isLastTry) Ambiguous++;
            return false;
        }
        Learned++;
        MapPlaces(prompt, path, anchor, anchorNode < 0 ? 0 : index.Table.Node(anchorNode).EndTokens, promptEnd, blockTokens);
        return true;
    }

    private void Collect(SentPrompt prompt, bool continued)
    {
        _count = 0;
        var columns = index.Columns.Near(prompt.Slot);
        for (var column = columns.First; column < columns.End; column++)
        {
            if (index.Columns[column] is not { BlockTokens: > 0 } feed || feed.Slot != prompt.Slot) continue;
            // The last token of an answer is never computed.
            var end = (prompt.PromptTokens + prompt.OutputTokens - 1) / feed.BlockTokens * feed.BlockTokens;
            var after = prompt.LastBlockAfterMs(feed.BlockTokens);
            for (var number = feed.Growths.End - 1; number >= feed.Growths.First; number--)
            {
                ref readonly var growth = ref feed.Growths[number];
                if (growth.EndTokens != end || growth.Continued != continued || growth.AtMs < after) continue;
                if (index.Table.Node(growth.Node).Identity != growth.Identity || _candidates.AsSpan(0, _count).Contains(growth.Node)) continue;
                if (_count == MaxCandidates) return;
                _candidates[_count++] = growth.Node;
            }
        }
    }

    // The deepest place of the prompt whose block somebody holds.
    private (int Place, int Node) Anchor(ReadOnlySpan<ulong> chain)
    {
        var found = (-1, -1);
        for (var i = 0; i < chain.Length && index.TryFind(chain[i], out var node); i++)
        {
            if (node >= 0) found = (i, node);
        }
        return found;
    }

    private void Keep(int ancestor)
    {
        var end = index.Table.Node(ancestor).EndTokens;
        var kept = 0;
        for (var i = 0; i < _count; i++)
        {
            if (AncestorAt(_candidates[i], end) == ancestor) _candidates[kept++] = _candidates[i];
        }
        _count = kept;
    }

    // The only candidate goes another way than the prompt is mapped: the two part before the place, or one of them is not what it seems.
    private bool TryCorrect(SentPrompt prompt, int anchor, int anchorNode, int candidate)
    {
        var fork = CommonAncestor(anchorNode, candidate);
        var forkEnd = fork < 0 ? 0 : index.Table.Node(fork).EndTokens;
        var expected = layout.TokensIn(anchor + 1) * Ratio(prompt);
        var isPlausible = fork >= 0 && forkEnd >= LeastPlausibleShare * expected;
        // More likely than a wrong mapping is that the prompt's own end has been given up and this one is another's: believed the second time.
        ref var doubted = ref _doubted[prompt.Chain[anchor] % (ulong)_doubted.Length];
        if (!isPlausible && doubted != prompt.Chain[anchor])
        {
            doubted = prompt.Chain[anchor];
            Contradicted++;
            return false;
        }
        for (var i = 0; i <= anchor; i++)
        {
            if (!index.TryFind(prompt.Chain[i], out var node) || node < 0 || index.Table.Node(node).EndTokens <= forkEnd) continue;
            if (isPlausible) index.Map(prompt.Chain[i], fork);
            else index.Unmap(prompt.Chain[i]);
        }
        if (!isPlausible)
        {
            Contradicted++;
            return false;
        }
        Corrected++;
        var blockTokens = BlockTokens(prompt.Slot);
        var promptEnd = Math.Min(prompt.PromptTokens / blockTokens * blockTokens, index.Table.Node(candidate).EndTokens);
        MapPlaces(prompt, AncestorAt(candidate, promptEnd), anchor, forkEnd, promptEnd, blockTokens);
        return true;
    }

    // From the last place backwards, walking up the path once.
    private void MapPlaces(SentPrompt prompt, int path, int anchor, int anchorEnd, int promptEnd, int blockTokens)
    {
        var chain = prompt.Chain;
        var anchorTokens = layout.TokensIn(anchor + 1);
        var behind = prompt.EstimatedTokens > anchorTokens ? (double)(prompt.PromptTokens - anchorEnd) / (prompt.EstimatedTokens - anchorTokens) : 0;
        for (var i = chain.Length - 1; i >= 0 && path >= 0; i--)
        {
            var tokens = layout.TokensIn(i + 1);
            if (tokens > prompt.EstimatedTokens || i == anchor) continue;
            // What is mapped before the anchor lies on the path, or to a block that is gone.
            if (i < anchor && index.TryFind(chain[i], out var held) && held >= 0) continue;
            var at = i > anchor ? anchorEnd + ((tokens - anchorTokens) * behind) : tokens * (anchorEnd / (double)anchorTokens);
            var end = (int)Math.Ceiling((at - 1e-6) / blockTokens) * blockTokens;
            if (end <= 0 || end > promptEnd) continue;
            path = AncestorAt(path, end);
            if (path >= 0) index.Map(chain[i], path);
        }
    }

    private static double Ratio(SentPrompt prompt) => prompt.PromptTokens / (double)Math.Max(1, prompt.EstimatedTokens);

    private int BlockTokens(int slot)
    {
        var columns = index.Columns.Near(slot);
        for (var column = columns.First; column < columns.End; column++)
        {
            if (index.Columns[column] is { BlockTokens: > 0 } feed && feed.Slot == slot) return feed.BlockTokens;
        }
        return 1;
    }

    // The block of the same prompt that ends there; −1 when there is none.
    private int AncestorAt(int node, int endTokens)
    {
        while (node >= 0 && index.Table.Node(node).EndTokens > endTokens) node = index.Table.Node(node).Parent;
        return node >= 0 && index.Table.Node(node).EndTokens == endTokens ? node : -1;
    }

    private int CommonAncestor(int a, int b)
    {
        while (a != b && a >= 0 && b >= 0)
        {
            if (index.Table.Node(a).EndTokens >= index.Table.Node(b).EndTokens) a = index.Table.Node(a).Parent;
            else b = index.Table.Node(b).Parent;
        }
        return a == b ? a : -1;
    }
}
