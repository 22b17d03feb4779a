namespace Mesh.Core.PrefixCache;

/// <summary>
/// The nodes of the index: a tree of runs of block hashes. Because hashes are chained, one hash names the whole prompt up to its block:
/// a node is found by the hash of its first block, and comparing a run needs a binary search, not a walk.
/// </summary>
internal sealed class PrefixTree
{
    private readonly PrefixNode[] _nodes;
    private readonly Arena<ulong> _hashes;
    private readonly ChainTable _byFirstHash;
    private readonly Stack<int> _free = new();
    private int _used;

    public PrefixTree(PrefixNode[] nodes, int hashCapacity)
    {
        _nodes = nodes;
        _hashes = new Arena<ulong>(hashCapacity);
        _byFirstHash = new ChainTable(nodes.Length);
    }

    public int Count => _byFirstHash.Count;

    /// <summary>Block hashes stored.</summary>
    public int Blocks { get; private set; }

    public unsafe long Bytes => _nodes.LongLength * sizeof(PrefixNode) + _hashes.Bytes + _byFirstHash.Bytes;

    /// <summary>The node whose first block has this hash; −1 if there is none.</summary>
    public int Find(ulong firstHash) => _byFirstHash.Find(firstHash);

    /// <summary>How many blocks of the node's run <paramref name="chain"/> starts with.</summary>
    public int MatchLength(int node, ReadOnlySpan<ulong> chain)
    {
        var run = _hashes.Slice(_nodes[node].HashStart, _nodes[node].Length);
        var high = Math.Min(run.Length, chain.Length);
        if (run[high - 1] == chain[high - 1]) return high;
        var low = 1;
        high--;
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            if (run[middle - 1] == chain[middle - 1]) low = middle;
            else high = middle - 1;
        }
        return low;
    }

    /// <summary>Adds a node behind <paramref name="parent"/>; −1 when there is no room.</summary>
    public int Create(int parent, int depth, ReadOnlySpan<ulong> run)
    {
        if (_free.Count == 0 && _used == _nodes.Length) return -1;
        var hashStart = _hashes.Rent(run.Length);
        if (hashStart < 0) return -1;
        var node = _free.TryPop(out var freed) ? freed : _used++;
        run.CopyTo(_hashes.Slice(hashStart, run.Length));
        _nodes[node] = new PrefixNode { Parent = parent, Depth = depth, HashStart = hashStart, Length = run.Length };
        if (parent >= 0) _nodes[parent].Children++;
        _byFirstHash.Add(run[0], node);
        Blocks += run.Length;
        return node;
    }

    /// <summary>
    /// Cuts a node's run after <paramref name="at"/> blocks. The new node takes the upper part, so that the nodes that follow keep their
    /// parent. Returns the new node, without holders yet; −1 when there is no room.
    /// </summary>
    public int Split(int node, int at)
    {
        if (_free.Count == 0 && _used == _nodes.Length) return -1;
        ref var lower = ref _nodes[node];
        var run = _hashes.Slice(lower.HashStart, lower.Length);
        var upperStart = _hashes.Rent(at);
        if (upperStart < 0) return -1;
        var lowerStart = _hashes.Rent(lower.Length - at);
        if (lowerStart < 0)
        {
            _hashes.Return(upperStart, at);
            return -1;
        }
        run[..at].CopyTo(_hashes.Slice(upperStart, at));
        run[at..].CopyTo(_hashes.Slice(lowerStart, lower.Length - at));
        _hashes.Return(lower.HashStart, lower.Length);

        var upper = _free.TryPop(out var freed) ? freed : _used++;
        _nodes[upper] = new PrefixNode { Parent = lower.Parent, Depth = lower.Depth, HashStart = upperStart, Length = at, Children = 1 };
        lower.Parent = upper;
        lower.Depth += at;
        lower.HashStart = lowerStart;
        lower.Length -= at;
        _byFirstHash.Replace(_hashes[upperStart], upper);
        _byFirstHash.Add(_hashes[lowerStart], node);
        return upper;
    }

    /// <summary>Frees a node that nobody holds and nothing follows, and then its parents likewise.</summary>
    public void FreeIfUnused(int node)
    {
        while (node >= 0 && _nodes[node] is { HolderCount: 0, Children: 0 } unused)
        {
            _byFirstHash.Remove(_hashes[unused.HashStart]);
            _hashes.Return(unused.HashStart, unused.Length);
            Blocks -= unused.Length;
            _free.Push(node);
            node = unused.Parent;
            if (node >= 0) _nodes[node].Children--;
        }
    }
}
