using System.Runtime.InteropServices;
using Mesh.Core.Endpoints;

namespace Mesh.Core.Scheduling.Cost;

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

    /// <summary>Costs by slot; empty when the request's model is no adapter. Valid until the next call.</summary>
    /// <param name="context">The request.</param>
    /// <param name="nowMs">Now.</param>
    /// <param name="counts">True for a request that is placed by these costs, not merely looked at.</param>
    public ReadOnlySpan<float> For(in SchedulingContext context, double nowMs, bool counts)
    {
        if (context.Adapter is not { } adapter) return [];
        var slots = endpoints.SlotCount;
        if (_bySlot.Length < slots) _bySlot = new float[Math.Max(64, slots * 2)];
        int requests = 0, having = 0;
        var (leastHere, leastFree) = (double.PositiveInfinity, double.PositiveInfinity);
        foreach (var endpoint in endpoints.Configured)
        {
            var state = endpoint.AdapterState(adapter, context.Freshness);
            ref readonly var row = ref endpoints.Costs.Rows[endpoint.Slot];
            _bySlot[endpoint.Slot] = state switch
            {
                AdapterState.Active or AdapterState.Loaded => 0,
                AdapterState.FreeSlot => LoadingMs,
                AdapterState.Waiting => WaitingMs,
                _ => FullMs,
            };
            if (!row.IsReady) continue;
            var others = row.WaitMs(nowMs) + row.DecodeMs;
            if (state == AdapterState.FreeSlot) leastFree = Math.Min(leastFree, others);
            if (state is not (AdapterState.Active or AdapterState.Loaded)) continue;
            leastHere = Math.Min(leastHere, others);
            requests += endpoint.AdapterRequests(adapter);
            having++;
        }
        // Where it is nowhere, or can be loaded nowhere, there is nothing to weigh.
        if (having == 0 || double.IsPositiveInfinity(leastFree)) return _bySlot.AsSpan(0, slots);
        SetLoading(slots, LoadingMs / (1 + (float)requests / having) - Lost(adapter, (float)Math.Max(LeastLostMs, leastHere - leastFree), counts));
        return _bySlot.AsSpan(0, slots);
    }

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
