using Mesh.Core.PrefixCache.Crowds;

namespace Mesh.Core.PrefixCache;

/// <summary>
/// Which endpoint holds how much of which prompt. Prompts are chains of block hashes; chains that run together share their nodes, so
/// that a look-up costs one hash probe per node and not one per block. Each endpoint's share is kept in order of use and bounded by its
/// KV-cache size; the whole is bounded by the memory allocated at construction. Not thread-safe; nothing is allocated after construction
/// but the growth of free lists.
/// </summary>
public sealed class PrefixIndex
{
    // A full index makes room entry by entry; past this many the prompt is not learned rather than the caller held up.
    private const int MaxEvictionsPerStore = 64;
    private readonly PrefixNode[] _nodes;
    private readonly PrefixTree _tree;
    private readonly HolderTable _holders;
    private readonly PrefixLookup _lookup;
    private readonly long[] _tokens;
    private readonly long[] _capacityTokens;
    private readonly int[] _path;
    private int _pathLength;
    private int _clock;

    /// <summary>Allocates the whole index.</summary>
    /// <param name="layout">Lengths of the blocks of every chain.</param>
    /// <param name="endpointCapacity">Endpoints are numbered from 0 to this, exclusive.</param>
    /// <param name="maxBlocks">Block hashes to keep, at least 64; about 50 bytes each.</param>
    public PrefixIndex(PrefixLayout layout, int endpointCapacity, int maxBlocks)
    {
        ArgumentNullException.ThrowIfNull(layout);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(endpointCapacity);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxBlocks, 64);
        Layout = layout;
        // A turn of a conversation is a run of about eight blocks; popular runs have many holders.
        _nodes = new PrefixNode[Math.Max(16, maxBlocks / 6)];
        _tree = new PrefixTree(_nodes, maxBlocks);
        _holders = new HolderTable(_nodes, Math.Max(16, maxBlocks / 3), Math.Max(64, maxBlocks / 2), endpointCapacity);
        _lookup = new PrefixLookup(_nodes, _tree, _holders);
        _tokens = new long[endpointCapacity];
        _capacityTokens = new long[endpointCapacity];
        Array.Fill(_capacityTokens, long.MaxValue);
        _path = new int[layout.MaxBlocks];
    }

    /// <summary>Lengths of the blocks.</summary>
    public PrefixLayout Layout { get; }

    /// <summary>Endpoints are numbered from 0 to this, exclusive.</summary>
    public int EndpointCapacity => _tokens.Length;

    /// <summary>Memory of the index, used or not.</summary>
    public long Bytes => _tree.Bytes + _holders.Bytes;

    /// <summary>Distinct block hashes kept.</summary>
    public int Blocks => _tree.Blocks;

    /// <summary>Tokens that an endpoint is believed to hold.</summary>
    public long TokensHeld(int endpoint) => _tokens[endpoint];

    /// <summary>Bounds what an endpoint may hold, in tokens; what is over is forgotten at its next store.</summary>
    public void SetCapacity(int endpoint, long tokens) => _capacityTokens[endpoint] = tokens;

    /// <summary>Finds how many leading blocks of a chain each endpoint holds.</summary>
    /// <param name="chain">Chained block hashes.</param>
    /// <param name="heldBlocks">Written for every endpoint: 0 where nothing is held.</param>
    /// <returns>The most that any endpoint holds.</returns>
    public int Match(ReadOnlySpan<ulong> chain, Span<int> heldBlocks) => _lookup.Match(chain, heldBlocks);

    /// <summary>As <see cref="Match"/>, without a look at everybody who holds what many hold.</summary>
    internal void Look(ReadOnlySpan<ulong> chain, PromptHolders found) => _lookup.Look(chain, found);

    /// <summary>Leading blocks of a chain that one endpoint holds.</summary>
    internal int HeldBy(int endpoint, ReadOnlySpan<ulong> chain) => _lookup.HeldBy(endpoint, chain);

    /// <summary>Notes that an endpoint holds a chain now, as used last.</summary>
    public void Store(int endpoint, ReadOnlySpan<ulong> chain)
    {
        if (chain.Length > Layout.MaxBlocks) chain = chain[..Layout.MaxBlocks];
        var evictions = 0;
        var parent = -1;
        _pathLength = 0;
        for (var depth = 0; depth < chain.Length;)
        {
            var rest = chain[depth..];
            var node = _tree.Find(rest[0]);
            var matched = rest.Length;
            if (node < 0)
            {
                while ((node = _tree.Create(parent, depth, rest)) < 0 && evictions++ < MaxEvictionsPerStore && EvictAnywhere(endpoint, parent)) ;
                if (node < 0) break;
            }
            else
            {
                matched = _tree.MatchLength(node, rest);
                // A run that goes on otherwise is cut where the two part; without room for that, the common part is all that is learned.
                if (matched < rest.Length && matched < _nodes[node].Length)
                {
                    var upper = Split(node, matched);
                    if (upper < 0) break;
                    node = upper;
                }
            }

            var entry = Hold(endpoint, node, matched, ref evictions);
            if (entry < 0)
            {
                _tree.FreeIfUnused(node);
                break;
            }
            // At once: room that is made for the rest must not be made here.
            _holders.Order.Remove(endpoint, entry);
            _holders.Order.AddNewest(endpoint, entry);
            _path[_pathLength++] = entry;
            parent = node;
            depth += matched;
        }

        // The first node last, so that it counts as newest: an endpoint forgets a prompt from its end, as vLLM does.
        for (var i = _pathLength - 2; i >= 0; i--)
        {
            _holders.Order.Remove(endpoint, _path[i]);
            _holders.Order.AddNewest(endpoint, _path[i]);
        }
        Shrink(endpoint, _capacityTokens[endpoint]);
    }

    /// <summary>Notes that an endpoint holds only the first <paramref name="keepBlocks"/> blocks of a chain, whatever was believed.</summary>
    public void Trim(int endpoint, ReadOnlySpan<ulong> chain, int keepBlocks)
    {
        for (var depth = 0; depth < chain.Length;)
        {
            var node = _tree.Find(chain[depth]);
            if (node < 0) return;
            var length = _nodes[node].Length;
            var matched = _tree.MatchLength(node, chain[depth..]);
            var entry = _holders.Find(node, endpoint);
            if (entry >= 0) Reduce(endpoint, entry, Math.Max(0, keepBlocks - depth));
            if (matched < length) return;
            depth += matched;
        }
    }

    /// <summary>Forgets all that an endpoint held, in time proportional to that.</summary>
    public void Clear(int endpoint)
    {
        for (var entry = _holders.Order.Oldest(endpoint); entry >= 0; entry = _holders.Order.Oldest(endpoint)) Reduce(endpoint, entry, 0);
    }

    private int Hold(int endpoint, int node, int blocks, ref int evictions)
    {
        var entry = _holders.Find(node, endpoint);
        if (entry < 0)
        {
            while ((entry = _holders.Add(node, endpoint, 0)) < 0 && evictions++ < MaxEvictionsPerStore && EvictAnywhere(endpoint, node)) ;
            if (entry < 0) return -1;
            _holders.Order.AddNewest(endpoint, entry);
        }
        var held = _holders.Held(entry);
        if (blocks > held)
        {
            _tokens[endpoint] += Tokens(node, held, blocks);
            _holders.SetHeld(entry, blocks);
        }
        return entry;
    }

    private int Split(int node, int at)
    {
        // All or nothing: each holder of the lower part needs an entry of its own in the upper one.
        if (_holders.FreeEntries < _nodes[node].HolderCount) return -1;
        var upper = _tree.Split(node, at);
        if (upper < 0) return -1;
        _holders.Crowds.Drop(node);
        // Kept from being freed until all holders are sorted.
        _nodes[upper].Children++;
        for (var i = _nodes[node].HolderCount - 1; i >= 0; i--)
        {
            var holder = _holders.HoldersOf(node)[i];
            var entry = _holders.Find(node, holder.Endpoint);
            if (holder.Held <= at)
            {
                // No room to move it: forgetting a part is harmless, keeping it under the wrong node is not.
                if (!_holders.Move(entry, upper)) Reduce(holder.Endpoint, entry, 0, upper);
                continue;
            }
            var added = _holders.Add(upper, holder.Endpoint, at);
            if (added < 0)
            {
                _tokens[holder.Endpoint] -= Tokens(upper, 0, at);
                _holders.SetHeld(entry, holder.Held - at);
                Reduce(holder.Endpoint, entry, 0);
                continue;
            }
            _holders.SetHeld(entry, holder.Held - at);
            _holders.Order.AddNewerThan(holder.Endpoint, entry, added);
        }
        _holders.Crowds.Gather(node, _holders.HoldersOf(node));
        _tree.FreeIfUnused(node);
        _nodes[upper].Children--;
        if (_nodes[upper].HolderCount > 0) return upper;
        _tree.FreeIfUnused(upper);
        return -1;
    }

    private void Reduce(int endpoint, int entry, int toBlocks) => Reduce(endpoint, entry, toBlocks, _holders.NodeOf(entry));

    // countedFrom is the node by whose depth the held blocks count: while a node is being split, that is its upper part.
    private void Reduce(int endpoint, int entry, int toBlocks, int countedFrom)
    {
        var held = _holders.Held(entry);
        if (toBlocks >= held) return;
        _tokens[endpoint] -= Tokens(countedFrom, toBlocks, held);
        _holders.SetHeld(entry, toBlocks);
        if (toBlocks > 0) return;
        var node = _holders.NodeOf(entry);
        _holders.Remove(entry);
        _tree.FreeIfUnused(node);
    }

    private void Shrink(int endpoint, long toTokens)
    {
        while (_tokens[endpoint] > toTokens && _holders.Order.Oldest(endpoint) is >= 0 and var entry)
        {
            var node = _holders.NodeOf(entry);
            var keep = _holders.Held(entry);
            var excess = _tokens[endpoint] - toTokens;
            var dropped = 0L;
            while (keep > 0 && dropped < excess)
            {
                dropped += Tokens(node, keep - 1, keep);
                keep--;
            }
            Reduce(endpoint, entry, keep);
        }
    }

    // Takes turns over the endpoints, so that no one's knowledge is sacrificed for the others'.
    private bool EvictAnywhere(int storing, int keepNode)
    {
        for (var i = 0; i < _tokens.Length; i++)
        {
            _clock = (_clock + 1) % _tokens.Length;
            var entry = _holders.Order.Oldest(_clock);
            if (entry < 0 || _holders.NodeOf(entry) == keepNode) continue;
            // The endpoint whose prompt is being stored has nothing else left.
            if (_clock == storing && _pathLength > 0 && entry == _path[0]) continue;
            Reduce(_clock, entry, 0);
            return true;
        }
        return false;
    }

    private long Tokens(int node, int fromBlock, int toBlock) =>
        Layout.TokensIn(_nodes[node].Depth + toBlock) - Layout.TokensIn(_nodes[node].Depth + fromBlock);
}
