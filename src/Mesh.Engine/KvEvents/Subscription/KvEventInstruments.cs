using System.Diagnostics.Metrics;

namespace Mesh.Engine.KvEvents.Subscription;

/// <summary>Metrics over all subscriptions of the process. Tags take a handful of values each; endpoints are told apart by their status.</summary>
internal static class KvEventInstruments
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "Mesh.Engine.KvEvents";

    private static readonly Meter Meter = new(MeterName);

    public static readonly Counter<long> Batches =
        Meter.CreateCounter<long>("mesh.kv_events.batches", "{batch}", "Batches of cache events taken in");

    public static readonly Counter<long> Events =
        Meter.CreateCounter<long>("mesh.kv_events.events", "{event}", "Cache events taken in");

    public static readonly Counter<long> Resets =
        Meter.CreateCounter<long>("mesh.kv_events.resets", "{reset}", "Times that exact knowledge of an endpoint's cache was dropped, by reason");

    public static readonly Counter<long> StateChanges =
        Meter.CreateCounter<long>("mesh.kv_events.state_changes", "{change}", "Changes between exact, degraded and history, by new state");

    public static readonly Counter<long> Replays =
        Meter.CreateCounter<long>("mesh.kv_events.replays", "{replay}", "Replays asked for");
}
