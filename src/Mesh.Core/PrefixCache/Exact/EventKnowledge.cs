using Mesh.Core.Leases;
using Mesh.Core.PrefixCache.Crowds;

namespace Mesh.Core.PrefixCache.Exact;

/// <summary>
/// The pool's side of all cache events: feeds and their states, what is held, what was routed a moment ago, and the prompts from which the mapping
/// is learned. Not thread-safe.
/// </summary>
internal sealed class EventKnowledge
{
    private const int MaxPrompts = 16_384;
    private const double LateFactor = 4;
    private readonly ExactPrefixOptions _options;
    private readonly PrefixLayout _layout;
    private readonly ExactIndex _index;
    private readonly PromptLearner _learner;
    private readonly Dictionary<long, CacheFeed> _feeds = [];
    private readonly Dictionary<LeaseId, SentPrompt> _sent = [];
    private readonly Queue<SentPrompt> _ended = new();
    private readonly Queue<SentPrompt> _late = new();
    private readonly Stack<SentPrompt> _unused = new();
    private RecentPrompts? _recent;
    private CacheKnowledge[] _states = [];
    private int[] _gpu = [];
    private int[] _any = [];
    private int[] _scratch = [];
    private int[] _routed = [];
    private bool[] _complete = [];
    private EventHolders? _found;
    private int _exactSlots;
    private long _lastFeed;
    private long _cachedTokens;
    private long _errorTokens;

    public EventKnowledge(PrefixLayout layout, ExactPrefixOptions options)
    {
        _options = options;
        _layout = layout;
        _index = new ExactIndex(options);
        _learner = new PromptLearner(_index, layout);
    }

    /// <summary>What a block offloaded from the accelerator is worth, 0–1.</summary>
    public double OffloadWeight { get; set; } = 0.7;

    public ExactIndex Index => _index;

    /// <summary>What was routed in the last moments; null before the first.</summary>
    public RecentPrompts? Recent => _recent;

    public LearningCounts Counts => new(
        _learner.Learned, _learner.Ambiguous, _learner.Unmatched, _learner.Corrected, _learner.Contradicted, _cachedTokens, _errorTokens);

    public long Add(int slot)
    {
        _feeds.Add(++_lastFeed, _index.AddFeed(slot));
        var columns = _index.Columns.Count;
        if (_gpu.Length < columns) (_gpu, _any) = (new int[columns * 2], new int[columns * 2]);
        Settle(slot);
        return _lastFeed;
    }

    public void Remove(long feed)
    {
        if (!_feeds.Remove(feed, out var removed)) return;
        _index.RemoveFeed(removed);
        Settle(removed.Slot);
    }

    /// <summary>The endpoint is gone: so are its feeds.</summary>
    public void RemoveOf(int slot)
    {
        foreach (var (id, feed) in _feeds)
        {
            if (feed.Slot == slot) Remove(id);
        }
        ForgetRouted(slot);
    }

    /// <summary>State of an endpoint: that of its least known rank.</summary>
    public CacheKnowledge StateOf(int slot) => (uint)slot < (uint)_states.Length ? _states[slot] : CacheKnowledge.History;

    /// <summary>Blocks that an endpoint is known to hold, all its ranks' counted.</summary>
    public int BlocksOf(int slot)
    {
        var blocks = 0;
        foreach (var feed in _feeds.Values) blocks += feed.Slot == slot ? feed.Count : 0;
        return blocks;
    }

    /// <summary>Sets a feed's state; true when the endpoint's changes with it.</summary>
    public bool SetState(long feed, CacheKnowledge knowledge, out int slot)
    {
        slot = -1;
        if (!_feeds.TryGetValue(feed, out var found)) return false;
        found.Knowledge = knowledge;
        slot = found.Slot;
        return Settle(slot);
    }

    public void Store(long feed, in StoredBlocks stored, double nowMs)
    {
        if (_feeds.TryGetValue(feed, out var found)) _index.Store(found, in stored, nowMs);
    }

    public void Remove(long feed, ReadOnlySpan<ulong> hashes, CacheTier tier)
    {
        if (_feeds.TryGetValue(feed, out var found)) _index.Remove(found, hashes, tier);
    }

    public void Map(long feed, ulong place, ulong hash)
    {
        if (_feeds.TryGetValue(feed, out var found)) _index.Map(found, place, hash);
    }

    public void Clear(long feed)
    {
        if (!_feeds.TryGetValue(feed, out var found)) return;
        _index.Clear(found);
        ForgetRouted(found.Slot);
    }

    public void ForgetRouted(int slot)
    {
        if (_recent is not null && slot < _recent.EndpointCapacity) _recent.Forget(slot);
    }

    /// <summary>
    /// Puts what the events tell over what history says. For an exact endpoint history counts in two cases: where a prompt's rest is not mapped and all before
    /// it is held, and for what was routed a moment ago.
    /// </summary>
    public void Overlay(ReadOnlySpan<ulong> chain, Span<int> held, double nowMs)
    {
        var columns = _index.Columns;
        var mapped = _index.Places.Match(chain, _gpu.AsSpan(0, columns.Count), _any.AsSpan(0, columns.Count));
        var routed = _routed.AsSpan(0, held.Length);
        routed.Clear();
        if (_recent is not null && _recent.EndpointCapacity >= held.Length) _recent.Match(chain, routed, _scratch.AsSpan(0, held.Length), nowMs);
        var exact = _scratch.AsSpan(0, held.Length);
        var complete = _complete.AsSpan(0, held.Length);
        exact.Clear();
        complete.Clear();
        for (var column = 0; column < columns.Count; column++)
        {
            if (columns[column] is not { } feed || feed.Slot >= held.Length) continue;
            exact[feed.Slot] = Math.Max(exact[feed.Slot], Worth(_gpu[column], _any[column]));
            complete[feed.Slot] |= _any[column] == mapped;
        }

        for (var slot = 0; slot < held.Length; slot++) held[slot] = Together(slot, exact[slot], complete[slot], mapped, held[slot], routed[slot]);
    }

    /// <summary>
    /// The same for those who look at few of many endpoints; null where the feeds' order is not that of the endpoints. Valid until the next call, or the next change.
    /// </summary>
    public EventHolders? Look(ReadOnlySpan<ulong> chain, PromptHolders? history, int slots, double nowMs)
    {
        if (_index.Columns.Shift < 0) return null;
        _found ??= new EventHolders(this);
        _found.Start(chain, history, slots, nowMs);
        return _found;
    }

    /// <summary>The same for one endpoint of so many.</summary>
    public int HeldBy(int slot, int slots, ReadOnlySpan<ulong> chain, int believed, double nowMs)
    {
        var (exact, isComplete, mapped) = (0, false, 0);
        var columns = _index.Columns;
        var near = columns.Near(slot);
        for (var column = near.First; column < near.End; column++)
        {
            if (columns[column]?.Slot != slot) continue;
            var held = _index.Places.HeldBy(column, chain);
            exact = Math.Max(exact, Worth(held.Gpu, held.Any));
            if (held.IsComplete) (isComplete, mapped) = (true, held.Any);
        }

        var routed = _recent is not null && _recent.EndpointCapacity >= slots ? _recent.HeldBy(slot, chain, nowMs) : 0;
        return Together(slot, exact, isComplete, mapped, believed, routed);
    }

    /// <summary>False where one of so many slots may belong to an endpoint whose events do not tell all.</summary>
    public bool AreAllExact(int slots) => _exactSlots >= slots;

    /// <summary>What an endpoint holds by all that is known.</summary>
    /// <param name="slot">The endpoint.</param>
    /// <param name="exact">By its events.</param>
    /// <param name="isComplete">Whether that is all that is mapped.</param>
    /// <param name="mapped">Blocks that are mapped.</param>
    /// <param name="believed">By history.</param>
    /// <param name="routed">Routed there a moment ago.</param>
    public int Together(int slot, int exact, bool isComplete, int mapped, int believed, int routed)
    {
        if (StateOf(slot) != CacheKnowledge.Exact) return Math.Max(believed, exact);
        return Math.Max(Math.Max(exact, isComplete && believed > mapped ? believed : 0), routed);
    }

    /// <summary>A prompt was sent to an endpoint; what is expected to be found there was asked for before.</summary>
    public void OnSent(LeaseId lease, int slot, int slots, ReadOnlySpan<ulong> chain, int estimatedTokens, int expectedTokens, double nowMs)
    {
        if (StateOf(slot) == CacheKnowledge.History) return;
        if (_recent is null || _recent.EndpointCapacity < slots)
            _recent = new RecentPrompts(_layout, Math.Max(64, slots * 2), _options.BridgeTime.TotalMilliseconds);
        _recent.Store(slot, chain, nowMs);
        // Leases that ended with their session were never told here: begin anew rather than count them one by one.
        if (_sent.Count >= MaxPrompts) _sent.Clear();
        var prompt = _unused.TryPop(out var unused) ? unused : new SentPrompt();
        prompt.Begin(slot, chain, estimatedTokens, expectedTokens, nowMs);
        _sent[lease] = prompt;
    }

    public void OnFirstByte(LeaseId lease, double nowMs)
    {
        if (_sent.TryGetValue(lease, out var prompt)) prompt.FirstByteMs = nowMs;
    }

    public void OnEnded(LeaseId lease, int promptTokens, int cachedTokens, int outputTokens, double nowMs)
    {
        if (!_sent.Remove(lease, out var prompt)) return;
        if (promptTokens <= 0 || outputTokens <= 0 || _ended.Count >= MaxPrompts)
        {
            _unused.Push(prompt);
            return;
        }
        (prompt.PromptTokens, prompt.OutputTokens, prompt.EndedMs) = (promptTokens, outputTokens, nowMs);
        if (cachedTokens > 0)
        {
            var expected = (long)prompt.ExpectedTokens * promptTokens / Math.Max(1, prompt.EstimatedTokens);
            _cachedTokens += cachedTokens;
            _errorTokens += Math.Abs(Math.Min(expected, promptTokens) - cachedTokens);
        }
        // At once, if it can be told: what its endpoint gives up next is the end of this prompt.
        if (_learner.Learn(prompt, isLastTry: false))
        {
            _unused.Push(prompt);
            return;
        }
        prompt.LookAtMs = nowMs + _options.LearnDelay.TotalMilliseconds;
        _ended.Enqueue(prompt);
    }

    /// <summary>Learns from the requests that ended long enough ago for their last events to have come.</summary>
    public void Learn(double nowMs)
    {
        Learn(_ended, nowMs);
        Learn(_late, nowMs);
    }

    public void SetSlots(int slots)
    {
        if (_states.Length < slots) Array.Resize(ref _states, Math.Max(64, slots * 2));
        if (_scratch.Length < slots) (_scratch, _routed, _complete) = (new int[Math.Max(64, slots * 2)], new int[Math.Max(64, slots * 2)], new bool[Math.Max(64, slots * 2)]);
    }

    /// <summary>Blocks in the accelerator that are worth as much as what is held in all tiers; never more than is held.</summary>
    public int Worth(int gpu, int any)
    {
        if (any <= gpu) return gpu;
        var worth = _layout.TokensIn(gpu) + (OffloadWeight * (_layout.TokensIn(any) - _layout.TokensIn(gpu)));
        var blocks = gpu;
        while (blocks < any && _layout.TokensIn(blocks + 1) <= worth) blocks++;
        return blocks;
    }

    private void Learn(Queue<SentPrompt> queue, double nowMs)
    {
        while (queue.TryPeek(out var prompt) && prompt.LookAtMs <= nowMs)
        {
            queue.Dequeue();
            if (!_learner.Learn(prompt, isLastTry: prompt.LookedFor) && !prompt.LookedFor && _late.Count < MaxPrompts)
            {
                // Its events may be later still: once more, after a longer time.
                prompt.LookedFor = true;
                prompt.LookAtMs = nowMs + (LateFactor * _options.LearnDelay.TotalMilliseconds);
                _late.Enqueue(prompt);
                continue;
            }
            if (_unused.Count < 1024) _unused.Push(prompt);
        }
    }

    private bool Settle(int slot)
    {
        if (slot >= _states.Length) SetSlots(slot + 1);
        CacheKnowledge? state = null;
        foreach (var feed in _feeds.Values)
        {
            if (feed.Slot == slot && (state is null || feed.Knowledge < state)) state = feed.Knowledge;
        }
        var before = _states[slot];
        _states[slot] = state ?? CacheKnowledge.History;
        _exactSlots += (_states[slot] == CacheKnowledge.Exact ? 1 : 0) - (before == CacheKnowledge.Exact ? 1 : 0);
        return _states[slot] != before;
    }
}
