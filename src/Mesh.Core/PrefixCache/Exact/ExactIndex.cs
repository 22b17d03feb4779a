namespace Mesh.Core.PrefixCache.Exact;

/// <summary>
/// What endpoints hold by their own word. Two vocabularies meet here: the endpoints' blocks of tokens (<see cref="BlockTable"/>), and the
/// gateway's hashes of a prompt's bytes (<see cref="MappingTable"/>), which are mapped to blocks as that is learned. A prompt is matched by its own hashes
/// alone: one probe and a few words of bits for each, however many endpoints there are. Not thread-safe; a hard bound on memory.
/// </summary>
internal sealed class ExactIndex
{
    // A full table makes room entry by entry; past this many the event's rest is not kept rather than the caller held up.
    private const int MaxTries = 64;
    private readonly BlockTable _blocks;
    private readonly MappingTable _mappings;
    private readonly FeedColumns _columns = new();
    private int _turn;

    public ExactIndex(ExactPrefixOptions options)
    {
        _blocks = new BlockTable(options.MaxBlocks);
        _mappings = new MappingTable(options.MaxMappings) { FirstChanged = (node, first) => _blocks!.Node(node).FirstMapping = first };
        Places = new PlaceMatcher(_mappings, _columns);
    }

    /// <summary>Which bit is whose.</summary>
    public FeedColumns Columns => _columns;

    /// <summary>Finds who holds a prompt.</summary>
    public PlaceMatcher Places { get; }

    /// <summary>Blocks held, each endpoint's counted.</summary>
    public int Blocks => _blocks.Count;

    /// <summary>Places of prompts known in the endpoints' terms.</summary>
    public int Mappings => _mappings.Count;

    /// <summary>Blocks that were told but not kept: their parent is unknown, or there was no room.</summary>
    public long Dropped { get; private set; }

    /// <summary>Memory taken from the system, used or not.</summary>
    public long Bytes => _blocks.Bytes + _mappings.Bytes;

    public BlockTable Table => _blocks;

    public CacheFeed AddFeed(int slot)
    {
        var feed = _columns.Add(slot);
        _mappings.Widen(_columns.Count);
        return feed;
    }

    public void RemoveFeed(CacheFeed feed)
    {
        Clear(feed);
        _columns.Remove(feed);
    }

    /// <summary>Blocks were stored.</summary>
    public void Store(CacheFeed feed, in StoredBlocks stored, double nowMs)
    {
        var parent = -1;
        var behind = -1;
        if (stored.Parent is { } hash)
        {
            var entry = _blocks.Find(BlockTable.KeyOf(feed.Column, hash));
            if (entry < 0)
            {
                // Its place in a prompt is unknown, and so is that of all that follows.
                Dropped += stored.Hashes.Length;
                return;
            }
            (parent, behind) = (_blocks.Held(entry).Node, _blocks.Held(entry).Growth);
        }

        feed.BlockTokens = stored.BlockTokens;
        var last = -1;
        for (var i = 0; i < stored.Hashes.Length; i++)
        {
            var entry = StoreOne(feed, parent, i, in stored);
            if (entry < 0)
            {
                Dropped += stored.Hashes.Length - i;
                break;
            }
            last = entry;
            parent = _blocks.Held(entry).Node;
        }
        if (last < 0) return;
        ref var node = ref _blocks.Node(parent);
        var growth = new Growth { Node = parent, Identity = node.Identity, EndTokens = node.EndTokens, AtMs = nowMs };
        _blocks.Held(last).Growth = feed.Growths.Add(behind, stored.Hashes.Length, in growth);
    }

    /// <summary>Blocks were removed; unknown ones have no effect.</summary>
    public void Remove(CacheFeed feed, ReadOnlySpan<ulong> hashes, CacheTier tier)
    {
        foreach (var hash in hashes)
        {
            var entry = _blocks.Find(BlockTable.KeyOf(feed.Column, hash));
            if (entry < 0) continue;
            ref var held = ref _blocks.Held(entry);
            var before = tier == CacheTier.Gpu ? held.GpuCopies > 0 : held.Offloaded;
            if (!before) continue;
            if (tier == CacheTier.Offload) held.Offloaded = false;
            else if (--held.GpuCopies > 0) continue;
            if (held is { GpuCopies: 0, Offloaded: false }) Drop(feed, entry);
            else Mark(held.Node, feed.Column, tier, isHeld: false);
        }
    }

    /// <summary>Forgets all that a feed's endpoint holds, in time proportional to that.</summary>
    public void Clear(CacheFeed feed)
    {
        while (feed.Oldest >= 0) Drop(feed, feed.Oldest);
        feed.Growths.Clear();
    }

    /// <summary>Node of the block in which a place of a prompt ends; −1 when nobody holds it. False when the place is not mapped.</summary>
    public bool TryFind(ulong chain, out int node)
    {
        var mapping = _mappings.Find(chain);
        node = mapping < 0 ? -1 : _mappings[mapping].Node;
        return mapping >= 0;
    }

    /// <summary>Maps a place of a prompt to a block that somebody holds, whatever it was mapped to before.</summary>
    public void Map(ulong chain, int node)
    {
        Unmap(chain);
        var mapping = _mappings.Add(chain, _blocks.Node(node).Identity);
        _mappings[mapping].Node = node;
        _blocks.Node(node).FirstMapping = mapping;
        for (var entry = _blocks.Node(node).FirstHolder; entry >= 0; entry = _blocks.Held(entry).NextHolder)
        {
            ref var held = ref _blocks.Held(entry);
            if (held.GpuCopies > 0) _mappings.Set(mapping, held.Feed, CacheTier.Gpu, held: true);
            if (held.Offloaded) _mappings.Set(mapping, held.Feed, CacheTier.Offload, held: true);
        }
    }

    /// <summary>The same, the block told by one holder's own hash; without effect when it does not hold it.</summary>
    public void Map(CacheFeed feed, ulong chain, ulong hash)
    {
        var entry = _blocks.Find(BlockTable.KeyOf(feed.Column, hash));
        if (entry < 0) return;
        var node = _blocks.Held(entry).Node;
        if (!TryFind(chain, out var known) || known != node) Map(chain, node);
    }

    public void Unmap(ulong chain)
    {
        if (_mappings.Find(chain) is >= 0 and var mapping) _mappings.Remove(mapping);
    }

    private int StoreOne(CacheFeed feed, int parent, int index, in StoredBlocks stored)
    {
        var key = BlockTable.KeyOf(feed.Column, stored.Hashes[index]);
        var entry = _blocks.Find(key);
        if (entry < 0)
        {
            if (_blocks.IsFull && !MakeRoom(parent)) return -1;
            var node = FindOrAddNode(parent, index, in stored);
            entry = _blocks.Add(key, node, feed.Column);
            Append(feed, entry);
        }
        ref var held = ref _blocks.Held(entry);
        var isNew = stored.Tier == CacheTier.Gpu ? held.GpuCopies == 0 : !held.Offloaded;
        if (stored.Tier == CacheTier.Offload) held.Offloaded = true;
        else if (held.GpuCopies < ushort.MaxValue) held.GpuCopies++;
        if (isNew) Mark(held.Node, feed.Column, stored.Tier, isHeld: true);
        return entry;
    }

    private int FindOrAddNode(int parent, int index, in StoredBlocks stored)
    {
        var before = parent < 0 ? stored.Seed : _blocks.Node(parent).Identity;
        var seed = stored.BlockSeeds.IsEmpty ? 0 : stored.BlockSeeds[index];
        var identity = stored.TokenIds.IsEmpty
            ? ExactHash.Mix(before, stored.Hashes[index])
            : ExactHash.Of(before, stored.TokenIds.Slice(index * stored.BlockTokens, stored.BlockTokens), seed);
        var node = _blocks.FindNode(identity);
        if (node >= 0) return node;
        node = _blocks.AddNode(identity, parent, (parent < 0 ? 0 : _blocks.Node(parent).EndTokens) + stored.BlockTokens);
        var mapping = _mappings.FirstOf(identity);
        _blocks.Node(node).FirstMapping = mapping;
        for (; mapping >= 0; mapping = _mappings[mapping].Next) _mappings[mapping].Node = node;
        return node;
    }

    private void Mark(int node, int column, CacheTier tier, bool isHeld)
    {
        for (var mapping = _blocks.Node(node).FirstMapping; mapping >= 0; mapping = _mappings[mapping].Next) _mappings.Set(mapping, column, tier, isHeld);
    }

    private void Drop(CacheFeed feed, int entry)
    {
        ref var held = ref _blocks.Held(entry);
        var node = held.Node;
        if (held.GpuCopies > 0) Mark(node, feed.Column, CacheTier.Gpu, isHeld: false);
        if (held.Offloaded) Mark(node, feed.Column, CacheTier.Offload, isHeld: false);
        // The last copy's plane, where the caller has counted it down already.
        if (held is { GpuCopies: 0, Offloaded: false })
        {
            Mark(node, feed.Column, CacheTier.Gpu, isHeld: false);
            Mark(node, feed.Column, CacheTier.Offload, isHeld: false);
        }
        KeepGrowth(feed, in held);
        Unlink(feed, entry);
        _blocks.Remove(entry);
        while (node >= 0 && _blocks.IsUnused(node))
        {
            for (var mapping = _blocks.Node(node).FirstMapping; mapping >= 0; mapping = _mappings[mapping].Next) _mappings[mapping].Node = -1;
            node = _blocks.RemoveNode(node);
        }
    }

    // An endpoint that is short of room gives the end of a prompt up as soon as its answer is written: its beginning still tells whose it was.
    private void KeepGrowth(CacheFeed feed, in HeldBlock held)
    {
        var parent = _blocks.Node(held.Node).Parent;
        if (parent < 0 || !feed.Growths.IsEnd(held.Growth, held.Node)) return;
        var entry = _blocks.Node(parent).FirstHolder;
        for (var i = 0; i < MaxTries && entry >= 0 && _blocks.Held(entry).Feed != feed.Column; i++) entry = _blocks.Held(entry).NextHolder;
        if (entry < 0 || _blocks.Held(entry).Feed != feed.Column || feed.Growths.IsLastEnd(_blocks.Held(entry).Growth, parent)) return;
        _blocks.Held(entry).Growth = held.Growth;
        feed.Growths.FallBack(held.Growth, parent, _blocks.Node(parent).Identity);
    }

    // The oldest ends of prompts go first, an endpoint after the other; a block that others follow is put behind instead.
    private bool MakeRoom(int keepNode)
    {
        for (var tries = 0; tries < MaxTries; tries++)
        {
            _turn = _columns.After(_turn);
            var feed = _columns[_turn]!;
            if (feed.Oldest < 0) continue;
            var entry = feed.Oldest;
            var node = _blocks.Held(entry).Node;
            if (node == keepNode || _blocks.Node(node).Children > 0)
            {
                Unlink(feed, entry);
                Append(feed, entry);
                continue;
            }
            Drop(feed, entry);
            Dropped++;
            if (!_blocks.IsFull) return true;
        }
        return false;
    }

    private void Append(CacheFeed feed, int entry)
    {
        ref var held = ref _blocks.Held(entry);
        held.Older = feed.Newest;
        held.Newer = -1;
        if (feed.Newest >= 0) _blocks.Held(feed.Newest).Newer = entry;
        else feed.Oldest = entry;
        feed.Newest = entry;
        feed.Count++;
    }

    private void Unlink(CacheFeed feed, int entry)
    {
        ref var held = ref _blocks.Held(entry);
        if (held.Newer >= 0) _blocks.Held(held.Newer).Older = held.Older;
        else feed.Newest = held.Older;
        if (held.Older >= 0) _blocks.Held(held.Older).Newer = held.Newer;
        else feed.Oldest = held.Newer;
        feed.Count--;
    }
}
