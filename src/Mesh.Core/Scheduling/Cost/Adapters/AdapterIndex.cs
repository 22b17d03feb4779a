using System.Collections.Immutable;
using Mesh.Core.Endpoints;
using Mesh.Core.Metrics;

namespace Mesh.Core.Scheduling.Cost.Adapters;

/// <summary>
/// Which ready endpoints of a large pool have which LoRA adapter, and which have a free slot for another: what
/// <see cref="EndpointState.AdapterState"/> says of each, kept up to date by looking again at those of which something has changed, and at those whose
/// sample has aged so that it no longer counts. Not thread-safe; allocates when an adapter comes to more endpoints, or more adapters to an endpoint, than ever before.
/// </summary>
internal sealed class AdapterIndex
{
    // No adapter's name: what an endpoint says of it holds for every adapter that it does not know.
    private const string Stranger = "";
    private readonly EndpointTable _endpoints;
    private readonly ChangedSlots _changed = new();
    private readonly Dictionary<string, AdapterPlaces> _byName = new(StringComparer.Ordinal);
    private readonly Stack<AdapterPlaces> _unused = new();

    // Slots with a sample that counts, by its timestamp when it was put in: newer ones are found when that one's time has come.
    private readonly PriorityQueue<int, long> _ageing = new();
    private Known[] _known = [];

    public AdapterIndex(EndpointTable endpoints)
    {
        _endpoints = endpoints;
        endpoints.Costs.AdapterChanges = _changed;
    }

    /// <summary>The waits of the endpoints.</summary>
    public WaitTree Waits { get; private set; } = new();

    /// <summary>True for a ready endpoint that can load another adapter at once.</summary>
    public bool IsFree(int slot) => slot < _known.Length && _known[slot].IsFree;

    /// <summary>Where an adapter is; null when it is nowhere.</summary>
    public AdapterPlaces? Find(string adapter) => _byName.GetValueOrDefault(adapter);

    /// <summary>How ready the endpoint in a slot is for an adapter; it must be ready itself.</summary>
    public AdapterState StateOf(int slot, AdapterPlaces? places)
    {
        ref readonly var known = ref _known[slot];
        if (places is null || !places.Slots.Has(slot)) return known.IsFree ? AdapterState.FreeSlot : AdapterState.Full;
        foreach (ref readonly var entry in known.Entries.AsSpan(0, known.Count))
        {
            if (ReferenceEquals(entry.Places, places)) return entry.Has ? AdapterState.Loaded : AdapterState.Waiting;
        }

        return AdapterState.Full;
    }

    /// <summary>Looks again at what has changed.</summary>
    public void Update(SampleFreshness freshness)
    {
        if (_known.Length < _endpoints.SlotCount) Begin(_endpoints.SlotCount * 2);
        while (_ageing.TryPeek(out var slot, out var timestamp) && !freshness.IsFresh(timestamp))
        {
            _ageing.Dequeue();
            _known[slot].IsAgeing = false;
            _changed.Note(slot);
        }

        while (_changed.TryTake(out var slot)) Look(slot, freshness);
        Waits.Update(_endpoints.Costs.Rows, this);
    }

    private void Begin(int slots)
    {
        // The bits of an adapter's places are as many as there were slots.
        _byName.Clear();
        _unused.Clear();
        _ageing.Clear();
        _known = new Known[slots];
        Waits = new WaitTree();
        _endpoints.Costs.Waits = Waits;
        for (var slot = 0; slot < _endpoints.SlotCount; slot++) _changed.Note(slot);
    }

    private void Look(int slot, SampleFreshness freshness)
    {
        ref var known = ref _known[slot];
        Forget(slot, ref known);
        var wasFree = known.IsFree;
        var isReady = _endpoints.Costs.Rows[slot].IsReady;
        known.IsFree = false;
        if (isReady)
        {
            var endpoint = _endpoints.InSlot(slot);
            known.IsFree = endpoint.AdapterState(Stranger, freshness) == AdapterState.FreeSlot;
            for (var i = 0; i < endpoint.KnownAdapters; i++) Learn(slot, ref known, endpoint, endpoint.KnownAdapter(i), freshness);
            if (endpoint.FreshSample(freshness) is { } sample)
            {
                Learn(slot, ref known, endpoint, sample.RunningAdapters, freshness);
                Learn(slot, ref known, endpoint, sample.WaitingAdapters, freshness);
                if (!known.IsAgeing) _ageing.Enqueue(slot, sample.Timestamp);
                known.IsAgeing = true;
            }
        }

        if (wasFree != known.IsFree) Waits.Change(slot);
    }

    private void Learn(int slot, ref Known known, EndpointState endpoint, ImmutableArray<string> adapters, SampleFreshness freshness)
    {
        if (adapters.IsDefaultOrEmpty) return;
        foreach (var adapter in adapters) Learn(slot, ref known, endpoint, adapter, freshness);
    }

    private void Learn(int slot, ref Known known, EndpointState endpoint, string adapter, SampleFreshness freshness)
    {
        var state = endpoint.AdapterState(adapter, freshness);
        // Of the others it says what it says of any adapter.
        if (state is not (AdapterState.Active or AdapterState.Loaded or AdapterState.Waiting)) return;
        if (!_byName.TryGetValue(adapter, out var places))
        {
            places = _unused.TryPop(out var unused) ? unused : new AdapterPlaces(_known.Length);
            places.Start(adapter);
            _byName.Add(adapter, places);
        }

        if (places.Slots.Has(slot)) return;
        var entry = new Entry(places, state != AdapterState.Waiting, endpoint.AdapterRequests(adapter));
        places.Add(slot, entry.Has, entry.Requests);
        if (known.Entries is null || known.Count == known.Entries.Length) Array.Resize(ref known.Entries, Math.Max(8, 2 * known.Count));
        known.Entries![known.Count++] = entry;
    }

    private void Forget(int slot, ref Known known)
    {
        for (var i = 0; i < known.Count; i++)
        {
            var entry = known.Entries![i];
            entry.Places.Remove(slot, entry.Has, entry.Requests);
            if (entry.Places.Slots.Count > 0) continue;
            _byName.Remove(entry.Places.Name);
            _unused.Push(entry.Places);
        }

        known.Count = 0;
    }

    private readonly record struct Entry(AdapterPlaces Places, bool Has, int Requests);

    private struct Known
    {
        public Entry[]? Entries;
        public int Count;
        public bool IsFree;
        public bool IsAgeing;
    }
}
