using System.Numerics;

namespace Mesh.Core.PrefixCache.Exact;

/// <summary>One place of a prompt in the gateway's terms, and the block in which it ends in the endpoints' terms.</summary>
internal struct Mapping
{
    /// <summary>Chained hash of the gateway's block that ends here.</summary>
    public ulong Chain;

    /// <summary>Identity of the endpoints' block.</summary>
    public ulong Block;

    /// <summary>That block's node; −1 while nobody holds it.</summary>
    public int Node;

    /// <summary>Next place that ends in the same block; −1 for the last.</summary>
    public int Next;
}

/// <summary>
/// Places of prompts by the gateway's hash, each with a row of bits that tells which feeds' endpoints hold it: one plane for the
/// accelerator, one for what is offloaded. A place outlives its block, so that an endpoint that computes the prompt again is known to hold it. The oldest
/// makes room when the table is full.
/// </summary>
internal sealed class MappingTable
{
    private readonly Mapping[] _mappings;
    private readonly ChainTable _byChain;
    private readonly ChainTable _byBlock;
    private ulong[] _rows = [];
    private int _used;
    private int _oldest;

    public MappingTable(int capacity)
    {
        _mappings = new Mapping[capacity];
        _byChain = new ChainTable(capacity);
        _byBlock = new ChainTable(capacity);
    }

    public int Count => _byChain.Count;

    /// <summary>True once something offloaded has been told of.</summary>
    public bool HasTiers { get; private set; }

    /// <summary>Words of one plane.</summary>
    public int Words { get; private set; }

    public unsafe long Bytes => (_mappings.LongLength * sizeof(Mapping)) + _byChain.Bytes + _byBlock.Bytes + (_rows.LongLength * sizeof(ulong));

    public ref Mapping this[int mapping] => ref _mappings[mapping];

    public int Find(ulong chain) => _byChain.Find(chain);

    /// <summary>First of the places that end in a block; −1 without.</summary>
    public int FirstOf(ulong block) => _byBlock.Find(block);

    public ReadOnlySpan<ulong> Gpu(int mapping) => _rows.AsSpan(mapping * Words * 2, Words);

    public ReadOnlySpan<ulong> Offloaded(int mapping) => _rows.AsSpan((mapping * Words * 2) + Words, Words);

    public void Set(int mapping, int feed, CacheTier tier, bool held)
    {
        ref var word = ref _rows[(mapping * Words * 2) + (tier == CacheTier.Gpu ? 0 : Words) + (feed >> 6)];
        var bit = 1UL << (feed & 63);
        word = held ? word | bit : word & ~bit;
        HasTiers |= tier == CacheTier.Offload && held;
    }

    /// <summary>Makes the rows wide enough for that many feeds.</summary>
    public void Widen(int feeds)
    {
        var words = Math.Max(1, (int)BitOperations.RoundUpToPowerOf2((uint)((feeds + 63) / 64)));
        if (words <= Words) return;
        var rows = new ulong[(long)_mappings.Length * words * 2];
        for (var i = 0; i < _used && Words > 0; i++)
        {
            Gpu(i).CopyTo(rows.AsSpan(i * words * 2));
            Offloaded(i).CopyTo(rows.AsSpan((i * words * 2) + words));
        }
        _rows = rows;
        Words = words;
    }

    /// <summary>Adds a place that is not there yet, with an empty row.</summary>
    public int Add(ulong chain, ulong block)
    {
        int mapping;
        if (_used < _mappings.Length)
        {
            mapping = _used++;
        }
        else
        {
            mapping = _oldest;
            _oldest = (_oldest + 1) % _mappings.Length;
            if (_byChain.Find(_mappings[mapping].Chain) == mapping) Remove(mapping);
        }
        _rows.AsSpan(mapping * Words * 2, Words * 2).Clear();
        var first = _byBlock.Find(block);
        _mappings[mapping] = new Mapping { Chain = chain, Block = block, Node = -1, Next = first };
        _byChain.Add(chain, mapping);
        if (first < 0) _byBlock.Add(block, mapping);
        else _byBlock.Replace(block, mapping);
        return mapping;
    }

    /// <summary>The first of a node's places has changed to this one, or to none when it is −1.</summary>
    public Action<int, int>? FirstChanged { get; set; }

    /// <summary>Takes a place out. Its slot is used again when its turn comes.</summary>
    public void Remove(int mapping)
    {
        ref var removed = ref _mappings[mapping];
        _byChain.Remove(removed.Chain);
        var at = _byBlock.Find(removed.Block);
        if (at == mapping)
        {
            if (removed.Next < 0) _byBlock.Remove(removed.Block);
            else _byBlock.Replace(removed.Block, removed.Next);
            if (removed.Node >= 0) FirstChanged?.Invoke(removed.Node, removed.Next);
        }
        else
        {
            while (_mappings[at].Next != mapping) at = _mappings[at].Next;
            _mappings[at].Next = removed.Next;
        }
        removed.Chain = 0;
        removed.Node = -1;
        removed.Next = -1;
    }
}
