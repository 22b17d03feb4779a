using Mesh.Core.PrefixCache.Crowds;

namespace Mesh.Core.PrefixCache;

/// <summary>Who holds how much of which node: the (node, endpoint) pairs of the index, found in O(1), listed per node.</summary>
internal sealed class HolderTable
{
    private readonly PrefixNode[] _nodes;
    private readonly Arena<Holder> _holders;
    private readonly ChainTable _pairs;
    private readonly HolderEntry[] _entries;
    private readonly Stack<int> _free = new();
    private int _used;

    public HolderTable(PrefixNode[] nodes, int entryCapacity, int holderCapacity, int endpointCapacity)
    {
        _nodes = nodes;
        _entries = new HolderEntry[entryCapacity];
        _holders = new Arena<Holder>(holderCapacity);
        _pairs = new ChainTable(entryCapacity);
        Order = new UsageOrder(_entries, endpointCapacity);
        Crowds = new CrowdTable(nodes, endpointCapacity);
    }

    /// <summary>The holders of nodes that many hold.</summary>
    public CrowdTable Crowds { get; }

    /// <summary>Each endpoint's entries by time of use.</summary>
    public UsageOrder Order { get; }

    public int Count => _pairs.Count;

    public int FreeEntries => _entries.Length - Count;

    public unsafe long Bytes => _entries.LongLength * sizeof(HolderEntry) + _holders.Bytes + _pairs.Bytes;

    public Span<Holder> HoldersOf(int node) => _holders.Slice(_nodes[node].HolderStart, _nodes[node].HolderCount);

    public int NodeOf(int entry) => _entries[entry].Node;

    public int Find(int node, int endpoint) => _pairs.Find(Pair(node, endpoint));

    public int Held(int entry) => HolderOf(entry).Held;

    public void SetHeld(int entry, int held)
    {
        ref var holder = ref HolderOf(entry);
        Crowds.OnChanged(_entries[entry].Node, holder.Held, held);
        holder.Held = held;
    }

    /// <summary>Adds a pair that is not there; −1 when there is no room. The caller puts it into the order of use.</summary>
    public int Add(int node, int endpoint, int held)
    {
        if (FreeEntries == 0 || !Grow(ref _nodes[node])) return -1;
        var entry = _free.TryPop(out var freed) ? freed : _used++;
        _entries[entry] = new HolderEntry { Newer = -1, Older = -1 };
        PutIn(entry, node, endpoint, held);
        return entry;
    }

    /// <summary>Takes a pair out, of the order of use too.</summary>
    public void Remove(int entry)
    {
        var endpoint = TakeOut(entry);
        Order.Remove(endpoint, entry);
        _free.Push(entry);
    }

    /// <summary>Moves a pair to another node, keeping its place in the order of use. False when there is no room.</summary>
    public bool Move(int entry, int toNode)
    {
        if (!Grow(ref _nodes[toNode])) return false;
        var held = Held(entry);
        var endpoint = TakeOut(entry);
        PutIn(entry, toNode, endpoint, held);
        return true;
    }

    private ref Holder HolderOf(int entry) => ref _holders[_nodes[_entries[entry].Node].HolderStart + _entries[entry].Position];

    private void PutIn(int entry, int node, int endpoint, int held)
    {
        var position = _nodes[node].HolderCount++;
        _holders[_nodes[node].HolderStart + position] = new Holder { Endpoint = endpoint, Held = held };
        _entries[entry].Node = node;
        _entries[entry].Position = position;
        _pairs.Add(Pair(node, endpoint), entry);
        Crowds.OnAdded(node, endpoint, held, HoldersOf(node));
    }

    private static ulong Pair(int node, int endpoint) => ((ulong)(uint)node << 32) | (uint)endpoint;

    private int TakeOut(int entry)
    {
        var (nodeIndex, position) = (_entries[entry].Node, _entries[entry].Position);
        ref var node = ref _nodes[nodeIndex];
        var endpoint = _holders[node.HolderStart + position].Endpoint;
        Crowds.OnRemoved(nodeIndex, endpoint, _holders[node.HolderStart + position].Held);
        _pairs.Remove(Pair(nodeIndex, endpoint));

        var last = --node.HolderCount;
        if (position != last)
        {
            var moved = _holders[node.HolderStart + last];
            _holders[node.HolderStart + position] = moved;
            _entries[Find(nodeIndex, moved.Endpoint)].Position = position;
        }
        Shrink(ref node);
        return endpoint;
    }

    // A node's run of holders is always as long as its count rounded up to a power of two.
    private bool Grow(ref PrefixNode node)
    {
        var count = node.HolderCount;
        if (count != 0 && Arena<Holder>.RoundUp(count) != count) return true;
        var start = _holders.Rent(count + 1);
        if (start < 0) return false;
        if (count > 0)
        {
            _holders.Slice(node.HolderStart, count).CopyTo(_holders.Slice(start, count));
            _holders.Return(node.HolderStart, count);
        }
        node.HolderStart = start;
        return true;
    }

    private void Shrink(ref PrefixNode node)
    {
        var count = node.HolderCount;
        if (count == 0) _holders.Return(node.HolderStart, 1);
        else if (Arena<Holder>.RoundUp(count) == count) _holders.Return(node.HolderStart + count, count);
    }
}
