using System.Runtime.InteropServices;
using Mesh.Core.Endpoints;
using Mesh.Core.Metrics;

namespace Mesh.Core.Scheduling.Cost.Adapters;

/// <summary>
/// What a LoRA adapter costs on each endpoint, in milliseconds: 0 where it runs or ran last, 100 where it waits for a slot, 250 where every
/// slot belongs to another, and <c>max(0, 50 / (1 + n) − r)</c> where it has to be loaded into a free slot. <c>n</c> is the requests with it
/// in flight per endpoint that has it, for loading it once serves all that follow. <c>r</c> is what its requests have lost by staying where
/// it is since it was loaded last: how much sooner another endpoint would have been done with each of them, and at least 0.5 ms each, for one
/// more endpoint that has it is one more when another dies. Renting until the rent has
/// reached the price costs at most twice what one who knew the future would pay. It stands beside the wait in the cost, so that an endpoint
/// that has the adapter gets no more than that much work ahead of the others.
/// </summary>
internal sealed class AdapterCost(EndpointTable endpoints)
{
    private const float LoadingMs = 50;
    private const float LeastLostMs = 0.5f;
    private const float WaitingMs = 100;
    private const float FullMs = 250;
    // Far more adapters than are asked for at a time.
    private const int MostRemembered = 4096;
    private readonly Dictionary<string, float> _lostMs = [];
    private float[] _bySlot = [];
    private AdapterIndex? _index;
    private AdapterPlaces? _places;
    private float _loadingMs;
    private string _adapter = "";
    private SampleFreshness _freshness;

    /// <summary>Looks at every endpoint of a large pool too, for comparison.</summary>
    public bool LooksAtAll { get; init; }

    /// <summary>The costs of a request's adapter; null when its model is none. Valid until the next call.</summary>
    /// <param name="context">The request.</param>
    /// <param name="nowMs">Now.</param>
    /// <param name="counts">True for a request that is placed by these costs, not merely looked at.</param>
    public AdapterCost? For(in SchedulingContext context, double nowMs, bool counts)
    {
        if (context.Adapter is not { } adapter) return null;
        if (endpoints.SlotCount >= CostTable.LargeSlots && !LooksAtAll) FindAmongMany(adapter, context.Freshness, nowMs, counts);
        else LookAtAll(adapter, in context, nowMs, counts);
        return this;
    }

    /// <summary>Cost of an endpoint.</summary>
    public float Of(int slot)
    {
        if (_index is null) return _bySlot[slot];
        // Those that are not ready are in no index: they are candidates only where nobody else is left.
        var state = endpoints.Costs.IsReady(slot) ? _index.StateOf(slot, _places) : endpoints.InSlot(slot).AdapterState(_adapter, _freshness);
        return CostOf(state, _loadingMs);
    }

    /// <summary>What no endpoint of a block of a large pool's tree costs less than.</summary>
    public float LeastIn(int level, int block)
    {
        var slots = CostTree.SlotsAt(level);
        if (_index is null || _places is not null && _places.Slots.HasAny(block * slots, slots)) return 0;
        return _index.Waits.HasFree(level, block) ? _loadingMs : FullMs;
    }

    private static float CostOf(AdapterState state, float loadingMs) => state switch
    {
        AdapterState.Active or AdapterState.Loaded => 0,
        AdapterState.FreeSlot => loadingMs,
        AdapterState.Waiting => WaitingMs,
        _ => FullMs,
    };

    private void FindAmongMany(string adapter, SampleFreshness freshness, double nowMs, bool counts)
    {
        var rows = endpoints.Costs.Rows;
        (_adapter, _freshness) = (adapter, freshness);
        _index = endpoints.AdapterPlaces;
        _index.Update(freshness);
        var waits = _index.Waits;
        _places = _index.Find(adapter);
        _loadingMs = LoadingMs;
        if (_places is not { Having: > 0 and var having }) return;
        var leastFree = waits.LeastFree(rows, _index, _places, nowMs);
        if (double.IsPositiveInfinity(leastFree)) return;
        var leastHere = waits.LeastAt(rows, _index, _places, nowMs);
        _loadingMs = Math.Max(0, Loading(adapter, _places.Requests, having, leastHere, leastFree, counts));
    }

    private void LookAtAll(string adapter, in SchedulingContext context, double nowMs, bool counts)
    {
        var slots = endpoints.SlotCount;
        if (_bySlot.Length < slots) _bySlot = new float[Math.Max(64, slots * 2)];
        int requests = 0, having = 0;
        var (leastHere, leastFree) = (double.PositiveInfinity, double.PositiveInfinity);
        foreach (var endpoint in endpoints.Configured)
        {
            var state = endpoint.AdapterState(adapter, context.Freshness);
            ref readonly var row = ref endpoints.Costs.Rows[endpoint.Slot];
            _bySlot[endpoint.Slot] = CostOf(state, LoadingMs);
            if (!row.IsReady) continue;
            var others = row.WaitMs(nowMs) + row.DecodeMs;
            if (state == AdapterState.FreeSlot) leastFree = Math.Min(leastFree, others);
            if (state is not (AdapterState.Active or AdapterState.Loaded)) continue;
            leastHere = Math.Min(leastHere, others);
            requests += endpoint.AdapterRequests(adapter);
            having++;
        }
        // Where it is nowhere, or can be loaded nowhere, there is nothing to weigh.
        if (having == 0 || double.IsPositiveInfinity(leastFree)) return;
        SetLoading(slots, Loading(adapter, requests, having, leastHere, leastFree, counts));
    }

    private float Loading(string adapter, int requests, int having, double leastHere, double leastFree, bool counts) =>
        LoadingMs / (1 + (float)requests / having) - Lost(adapter, (float)Math.Max(LeastLostMs, leastHere - leastFree), counts);

    private float Lost(string adapter, float moreMs, bool counts)
    {
        if (!counts) return _lostMs.GetValueOrDefault(adapter) + moreMs;
        if (_lostMs.Count >= MostRemembered) _lostMs.Clear();
        ref var lost = ref CollectionsMarshal.GetValueRefOrAddDefault(_lostMs, adapter, out _);
        var total = lost + moreMs;
        // What has been lost pays for loading it once.
        lost = total >= LoadingMs ? 0 : total;
        return total;
    }

    private void SetLoading(int slots, float loading)
    {
        foreach (ref var cost in _bySlot.AsSpan(0, slots))
        {
            if (cost == LoadingMs) cost = Math.Max(0, loading);
        }
    }
}
