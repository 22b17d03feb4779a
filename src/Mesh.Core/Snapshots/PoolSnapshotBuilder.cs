using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.FlowControl;
using Mesh.Core.PrefixCache.Exact;
using Mesh.Core.Routing;
using Mesh.Core.Scheduling.Cost;
using Mesh.Core.SpillOver;

namespace Mesh.Core.Snapshots;

/// <summary>Copies a pool's state out. Draining endpoints stand in the backend that they had last, so that the leases add up.</summary>
internal static class PoolSnapshotBuilder
{
    public static PoolSnapshot Build(PoolConfig config, EndpointTable endpoints, Reservations reservations, WaitRoom waiting, PoolClock clock, SlowStart slowStart, EventKnowledge? events)
    {
        var backends = new SortedDictionary<BackendId, (BackendConfig Config, List<EndpointState> Endpoints)>();
        foreach (var backend in config.Backends) backends.TryAdd(backend.Id, (backend, []));
        foreach (var endpoint in endpoints.All.OrderBy(e => e.Id))
        {
            if (!backends.TryGetValue(endpoint.Backend.Id, out var entry)) backends.Add(endpoint.Backend.Id, entry = (endpoint.Backend, []));
            entry.Endpoints.Add(endpoint);
        }

        var now = clock.Now;
        return new PoolSnapshot
        {
            Id = config.Id,
            Leases = reservations.Leases.Count,
            FirstTokenPredictions = Copy(reservations.FirstTokenError),
            OutputTokenPredictions = Copy(reservations.OutputTokenError),
            CacheEvents = events is null
                ? null : new CacheEventsSnapshot(events.Index.Blocks, events.Index.Mappings, events.Index.Dropped, events.Index.Bytes, events.Counts),
            Queue =
            [
                .. waiting.All.GroupBy(w => w.Request.Priority).OrderByDescending(g => g.Key)
                    .Select(g => new QueueBandSnapshot(g.Key, g.Count(), g.Select(w => w.Request.FairnessId ?? "").Distinct().Count())
                    {
                        OldestWait = clock.SinceStart(now) - g.Min(w => w.EnqueuedAt),
                    }),
            ],
            Backends = [.. backends.Values.Select(b => WithLoad(Copy(b.Config, b.Endpoints, clock, slowStart, now, events), reservations.Backends, clock.SinceStart(now)))],
        };
    }

    private static PredictionSnapshot Copy(PredictionError error) => new(error.Count, error.ObservedMs, error.AbsoluteErrorMs);

    private static BackendSnapshot Copy(BackendConfig backend, List<EndpointState> endpoints, PoolClock clock, SlowStart slowStart, long now, EventKnowledge? events) => new()
    {
        Id = backend.Id,
        Region = backend.Region,
        Settings = backend.Settings,
        Endpoints = [.. endpoints.Select(e => Copy(e, clock, slowStart, now, events))],
    };

    // A backend that the configuration no longer has, but whose endpoints still drain, has no load of its own.
    private static BackendSnapshot WithLoad(BackendSnapshot backend, BackendTable table, TimeSpan now)
    {
        for (var i = 0; i < table.Loads.Length; i++)
        {
            var load = table.Loads[i];
            if (load.Config.Id != backend.Id) continue;
            return backend with
            {
                HealthyEndpoints = load.HealthyCount,
                InFlightRequests = load.InFlight,
                RequestsPerSecond = load.Rate(now),
                TargetRatePerSecond = load.RateTarget,
                TargetInFlight = load.InFlightTarget,
                Fullness = load.Fullness(now) is { } fullness && double.IsFinite(fullness) ? fullness : null,
                Utilizations = [.. Enumerable.Range(0, load.MetricCount).Select(load.Utilization)],
                Drained = table.Selector.IsDrained(i),
            };
        }

        return backend;
    }

    private static EndpointSnapshot Copy(EndpointState endpoint, PoolClock clock, SlowStart slowStart, long now, EventKnowledge? events) => new()
    {
        Id = endpoint.Id,
        PodName = endpoint.PodName,
        Health = endpoint.Health,
        InFlightRequests = endpoint.InFlightRequests,
        InFlightTokens = endpoint.InFlightTokens,
        InFlightPrefillTokens = endpoint.InFlightPrefillTokens,
        FailureLoadRequests = endpoint.FailureRequests(clock.FailureDecay(now)),
        EjectedUntil = endpoint.IsEjected ? clock.TimestampAt(endpoint.EjectedUntil) : null,
        Ejections = endpoint.Ejections,
        Ramp = slowStart.RampOf(endpoint, clock.SinceStart(now)),
        Draining = endpoint.Draining,
        Drained = endpoint is { Drained: true, Draining: false },
        WaitingRequests = endpoint.QueueCount,
        WaitingPromptMs = endpoint.Work.QueuedMs,
        PredictedWaitMs = endpoint.Work.WaitMs(clock.SinceStart(now).TotalMilliseconds),
        PrefillSpeedRatio = endpoint.Work.PrefillSpeedRatio,
        DecodeSpeedRatio = endpoint.Work.DecodeSpeedRatio,
        CacheKnowledge = events?.StateOf(endpoint.Slot) ?? CacheKnowledge.History,
        CacheKnowledgeChanges = endpoint.CacheKnowledgeChanges,
        CachedBlocks = events?.BlocksOf(endpoint.Slot) ?? 0,
        TotalRequests = endpoint.TotalRequests,
        Models = endpoint.Models is { } models ? [.. models.Select(m => m.Name)] : default,
        LastSample = endpoint.LastSample,
        SampleAge = endpoint.LastSample is { } sample ? clock.Elapsed(sample.Timestamp, now) : null,
    };
}
