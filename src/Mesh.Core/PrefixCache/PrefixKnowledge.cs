using Mesh.Core.Config;
using Mesh.Core.Leases;
using Mesh.Core.PrefixCache.Crowds;
using Mesh.Core.PrefixCache.Exact;
using Mesh.Core.Routing;

namespace Mesh.Core.PrefixCache;

/// <summary>
/// A pool's knowledge of who holds which prompt: the index that history feeds, made when the first request with a chain comes, for as many
/// endpoints as there are slots then (more endpoints than it was made for make a new one), and what cache events tell, from the first feed on.
/// Not thread-safe.
/// </summary>
internal sealed class PrefixKnowledge(PoolStateOptions options, PoolClock clock)
{
    private const int LeastSlots = 64;
    // Of the capacity that endpoints claim, the share that is really there for prompts to come back to.
    private const float LeastShare = 1f / 16;
    private const float Loss = 0.95f;
    private const float Gain = 1.005f;
    private float[] _share = [];
    private PrefixIndex? _index;
    private EventKnowledge? _events;
    private PromptHolders? _found;
    private int[] _held = [];
    private int _slots;
    private double _offloadWeight = 1;
    private int _ranks = 1;

    public PrefixLayout Layout { get; } = options.PrefixLayout;

    /// <summary>The index; null before the first chain.</summary>
    public PrefixIndex? Index => _index;

    /// <summary>What cache events tell; null before the first feed.</summary>
    public EventKnowledge? Events => _events;

    private double NowMs => clock.SinceStart(clock.Now).TotalMilliseconds;

    /// <summary>Endpoints have slots 0 to this, exclusive.</summary>
    public void SetSlots(int slots)
    {
        _slots = slots;
        if (_share.Length < slots)
        {
            var known = _share.Length;
            Array.Resize(ref _share, Math.Max(LeastSlots, slots * 2));
            _share.AsSpan(known).Fill(1);
        }
        if (_index is not null && slots > _index.EndpointCapacity) _index = null;
        _events?.SetSlots(slots);
    }

    /// <summary>Takes the pool's settings of cache events.</summary>
    public void Configure(KvEventsConfig config)
    {
        (_offloadWeight, _ranks) = (config.OffloadWeight, config.Ranks);
        if (_events is null) return;
        _events.OffloadWeight = _offloadWeight;
        _events.Index.Columns.SetRanks(_ranks);
    }

    /// <summary>Begins to take an endpoint's cache events; returns the feed's number.</summary>
    public long AddFeed(int slot)
    {
        if (_events is null)
        {
            _events = new EventKnowledge(Layout, options.ExactPrefixes) { OffloadWeight = _offloadWeight };
            _events.SetSlots(_slots);
            _events.Index.Columns.SetRanks(_ranks);
        }
        return _events.Add(slot);
    }

    /// <summary>Blocks of a chain that each endpoint holds, by slot; empty when the request has no chain. Valid until the next call.</summary>
    public ReadOnlySpan<int> Match(ReadOnlySpan<ulong> chain)
    {
        if (chain.IsEmpty || (_index is null && _events is null)) return [];
        if (_held.Length < _slots) _held = new int[Math.Max(LeastSlots, _slots * 2)];
        var held = _held.AsSpan(0, _slots);
        if (_index is null) held.Clear();
        else _index.Match(chain, held);
        _events?.Overlay(chain, held, NowMs);
        return held;
    }

    /// <summary>Of the cache that an endpoint claims, the share that is there for prompts to come back to, as learned.</summary>
    public float ShareOf(int slot) => _share[slot];

    /// <summary>
    /// The same in a pool of many endpoints, without a look at each; null where there are few, where the request has no chain, and where nothing is known or can be found
    /// without that. Valid until the next call, or the next change.
    /// </summary>
    public IPromptHolders? Find(ReadOnlySpan<ulong> chain)
    {
        if (_slots < CrowdTable.LeastEndpoints || chain.IsEmpty) return null;
        if (_index is not null)
        {
            if (_found is null || _found.Endpoints < _slots) _found = new PromptHolders(_slots);
            _index.Look(chain, _found);
        }

        return _events is null ? _index is null ? null : _found : _events.Look(chain, _index is null ? null : _found, _slots, NowMs);
    }

    /// <summary>Blocks of a chain that one endpoint holds.</summary>
    public int HeldBy(int slot, ReadOnlySpan<ulong> chain)
    {
        var believed = _index?.HeldBy(slot, chain) ?? 0;
        return _events is null ? believed : _events.HeldBy(slot, _slots, chain, believed, NowMs);
    }

    /// <summary>A prompt was sent to an endpoint, which will hold it.</summary>
    public void Store(int slot, ReadOnlySpan<ulong> chain, long capacityTokens)
    {
        if (chain.IsEmpty) return;
        _index ??= new PrefixIndex(Layout, Math.Max(LeastSlots, _slots * 2), options.MaxPrefixBlocks);
        _index.SetCapacity(slot, (long)(capacityTokens * _share[slot]));
        _index.Store(slot, chain);
    }

    /// <summary>
    /// An endpoint told how much of a prompt it had. Running requests and other clients take their part of its cache: where it had lost what
    /// it was believed to hold, it is believed to keep 5% less from now on, and 0.5% more where it had it; so that one belief in eleven is
    /// wrong when the two are in balance.
    /// </summary>
    public void Observe(int slot, int believedTokens, int cachedTokens)
    {
        // Where events tell what is there, nothing has to be inferred.
        if (believedTokens <= 0 || _index is null || _events?.StateOf(slot) == CacheKnowledge.Exact) return;
        ref var share = ref _share[slot];
        // What is cached ends at a block's end, and the two sides' blocks end at different places.
        share = cachedTokens < believedTokens / 2 ? Math.Max(LeastShare, share * Loss) : Math.Min(1, share * Gain);
    }

    /// <summary>A request was sent under a lease; called before <see cref="Store"/>, while what is known is what it was chosen by.</summary>
    public void OnSent(LeaseId lease, int slot, ReadOnlySpan<ulong> chain, int promptTokens)
    {
        if (_events is null || chain.IsEmpty || _events.StateOf(slot) == CacheKnowledge.History) return;
        var expected = Math.Min(Layout.TokensIn(HeldBy(slot, chain)), promptTokens);
        _events.OnSent(lease, slot, _slots, chain, promptTokens, expected, NowMs);
    }

    /// <summary>The first byte of an answer has come.</summary>
    public void OnFirstByte(LeaseId lease) => _events?.OnFirstByte(lease, NowMs);

    /// <summary>A request has ended, and its usage is known where it is not 0.</summary>
    public void OnEnded(LeaseId lease, in RequestOutcome outcome)
    {
        if (_events is null) return;
        _events.OnEnded(lease, outcome.PromptTokens, outcome.CachedTokens ?? 0, outcome.OutputTokens, NowMs);
        _events.Learn(NowMs);
    }

    /// <summary>Learns from the requests whose time has come.</summary>
    public void Learn() => _events?.Learn(NowMs);

    /// <summary>Blocks were stored.</summary>
    public void OnStored(long feed, in StoredBlocks stored)
    {
        if (_events is null) return;
        var now = NowMs;
        _events.Store(feed, in stored, now);
        _events.Learn(now);
    }

    /// <summary>What was routed to an endpoint does not count any more. What its events told stays: they tell when it ends.</summary>
    public void Forget(int slot)
    {
        if (slot < _share.Length) _share[slot] = 1;
        _index?.Clear(slot);
        _events?.ForgetRouted(slot);
    }

    /// <summary>The endpoint is gone, and its slot may be given to another.</summary>
    public void Remove(int slot)
    {
        if (slot < _share.Length) _share[slot] = 1;
        _index?.Clear(slot);
        _events?.RemoveOf(slot);
    }
}
