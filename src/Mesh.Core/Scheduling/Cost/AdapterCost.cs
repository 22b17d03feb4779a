using Mesh.Core.Endpoints;

namespace Mesh.Core.Scheduling.Cost;

/// <summary>
/// What a LoRA adapter costs on each endpoint, in milliseconds: <c>250 · (1 − score)</c> with the scores 1 where it runs, 0.8 where a slot is
/// free, 0.6 where it waits for one, and 0 where every slot belongs to another. It stands beside the wait in the cost, so that the
/// endpoint that runs the adapter gets no more than 50 ms of work ahead of one that can load it.
/// </summary>
internal sealed class AdapterCost(EndpointTable endpoints)
{
    private const float FreeSlotMs = 50;
    private const float WaitingMs = 100;
    private const float FullMs = 250;
    private float[] _bySlot = [];

    /// <summary>Costs by slot; empty when the request's model is no adapter. Valid until the next call.</summary>
    public ReadOnlySpan<float> For(in SchedulingContext context)
    {
        if (context.Adapter is not { } adapter) return [];
        var slots = endpoints.SlotCount;
        if (_bySlot.Length < slots) _bySlot = new float[Math.Max(64, slots * 2)];
        foreach (var endpoint in endpoints.Configured)
        {
            _bySlot[endpoint.Slot] = endpoint.AdapterState(adapter, context.Freshness) switch
            {
                AdapterState.Active => 0,
                AdapterState.FreeSlot => FreeSlotMs,
                AdapterState.Waiting => WaitingMs,
                _ => FullMs,
            };
        }
        return _bySlot.AsSpan(0, slots);
    }
}
