namespace Mesh.Core.PrefixCache.Exact;

/// <summary>
/// What all feeds' endpoints hold, block by block. A block has one node for all of them, found by the hash of its tokens, and an entry for
/// each that holds it, found by that endpoint's own hash: events name nothing else when a block goes. Memory is fixed at construction.
/// </summary>
internal sealed class BlockTable
{
    private readonly BlockNode[] _nodes;
    private readonly HeldBlock[] _held;
    private readonly ChainTable _byIdentity;
    private readonly ChainTable _byKey;
    private readonly Stack<int> _freeNodes = new();
    private readonly Stack<int> _freeHeld = new();
    private int _usedNodes;
    private int _usedHeld;

    public BlockTable(int capacity)
    {
        _nodes = new BlockNode[capacity];
        _held = new HeldBlock[capacity];
        _byIdentity = new ChainTable(capacity);
        _byKey = new ChainTable(capacity);
    }

    /// <summary>Blocks held, each endpoint's counted.</summary>
    public int Count => _byKey.Count;

    public int NodeCount => _byIdentity.Count;

    public bool IsFull => Count == _held.Length || NodeCount == _nodes.Length;

    public unsafe long Bytes => (_nodes.LongLength * sizeof(BlockNode)) + (_held.LongLength * sizeof(HeldBlock)) + _byIdentity.Bytes + _byKey.Bytes;

    public ref BlockNode Node(int node) => ref _nodes[node];

    public ref HeldBlock Held(int entry) => ref _held[entry];

    public static ulong KeyOf(int feed, ulong hash) => ExactHash.Mix(hash, (ulong)feed + 1);

    public int Find(ulong key) => _byKey.Find(key);

    public int FindNode(ulong identity) => _byIdentity.Find(identity);

    /// <summary>Adds a node; the caller has made sure that there is room.</summary>
    public int AddNode(ulong identity, int parent, int endTokens)
    {
        var node = _freeNodes.TryPop(out var freed) ? freed : _usedNodes++;
        _nodes[node] = new BlockNode { Identity = identity, Parent = parent, EndTokens = endTokens, FirstHolder = -1, FirstMapping = -1 };
        if (parent >= 0) _nodes[parent].Children++;
        _byIdentity.Add(identity, node);
        return node;
    }

    /// <summary>Adds an entry to a node; the caller has made sure that there is room.</summary>
    public int Add(ulong key, int node, int feed)
    {
        var entry = _freeHeld.TryPop(out var freed) ? freed : _usedHeld++;
        var next = _nodes[node].FirstHolder;
        _held[entry] = new HeldBlock { Key = key, Node = node, Feed = feed, NextHolder = next, PreviousHolder = -1, Newer = -1, Older = -1, Growth = -1 };
        if (next >= 0) _held[next].PreviousHolder = entry;
        _nodes[node].FirstHolder = entry;
        _byKey.Add(key, entry);
        return entry;
    }

    /// <summary>Takes an entry out. Its node stays until <see cref="RemoveNode"/>.</summary>
    public void Remove(int entry)
    {
        ref var held = ref _held[entry];
        if (held.PreviousHolder >= 0) _held[held.PreviousHolder].NextHolder = held.NextHolder;
        else _nodes[held.Node].FirstHolder = held.NextHolder;
        if (held.NextHolder >= 0) _held[held.NextHolder].PreviousHolder = held.PreviousHolder;
        _byKey.Remove(held.Key);
        _freeHeld.Push(entry);
    }

    /// <summary>True when a node can go: nobody holds it and nothing follows it.</summary>
    public bool IsUnused(int node) => _nodes[node] is { FirstHolder: < 0, Children: 0 };

    /// <summary>Takes an unused node out and returns its parent.</summary>
    public int RemoveNode(int node)
    {
        var parent = _nodes[node].Parent;
        _byIdentity.Remove(_nodes[node].Identity);
        _nodes[node].Identity = 0;
        if (parent >= 0) _nodes[parent].Children--;
        _freeNodes.Push(node);
        return parent;
    }
}
