using System.Collections.Immutable;
using Mesh.Core.Snapshots;
using Mesh.Gateway.Admin.Views;

namespace Mesh.Gateway.Admin.Live;

/// <summary>The tables that viewers follow, filled from one reading of the mesh. For callers that take turns.</summary>
internal sealed class LiveTables(AdminServices services)
{
    private readonly EndpointView _endpointView = new(services.Time);

    private readonly LiveTable _state = new(
        "state", "region", "configurationVersion", "journalRevision", "ready", "notReadyReason", "openRequests", "queuedRequests", "leases", "gateway", "lastHistoryStep", "warning");

    private readonly LiveTable _regions = new(
        "regions", "name", "own", "link", "endpoints", "readyEndpoints", "inFlightRequests", "requestsPerSecond", "fullness", "roundTripMs", "creditRequests",
        "reportAgeSeconds");

    private readonly LiveTable _clusters = new(
        "clusters", "name", "region", "zone", "configCluster", "endpoints", "readyEndpoints", "inFlightRequests", "requestsPerSecond", "fullness");

    private readonly LiveTable _pools = new(
        "pools", "id", "localToCluster", "endpoints", "readyEndpoints", "inFlightRequests", "leases", "requestsPerSecond", "queuedRequests", "fullness", "profile", "epoch",
        "sessions", "firstTokenP50Ms", "firstTokenP95Ms", "outputTokenP50Ms", "outputTokenP95Ms");

    private readonly LiveTable _shards = new("shards", "pool", "shard", "epoch", "endpoints", "healthyEndpoints", "leases", "queuedRequests", "forwarded", "received");

    private readonly LiveTable _queue = new("queue", "pool", "priority", "requests", "flows", "oldestWaitSeconds");

    private readonly LiveTable _backends = new(
        "backends", "id", "pool", "region", "cluster", "zone", "port", "endpoints", "healthyEndpoints", "readyEndpoints", "inFlightRequests", "waitingRequests",
        "requestsPerSecond", "mode", "preference", "capacityScaler", "targetRequestsPerSecond", "targetInFlightRequests", "targetUtilizationRatio", "fullness",
        "kvUtilizationRatio", "drained", "firstTokenP50Ms", "firstTokenP95Ms", "firstTokenP99Ms", "outputTokenP50Ms", "outputTokenP95Ms", "outputTokenP99Ms");

    private readonly LiveTable _utilizations = new("utilizations", "pool", "backend", "metric", "valueRatio", "targetRatio", "dryRun");

    private readonly LiveTable _endpoints = new(
        "endpoints", "address", "pod", "pool", "backend", "cluster", "region", "zone", "state", "health", "inFlightRequests", "inFlightTokens", "waitingRequests",
        "predictedWaitMs", "kvUtilizationRatio", "engineRunningRequests", "engineWaitingRequests", "prefixHitRatio", "runningAdapters", "models", "sampleAgeSeconds",
        "ejections", "ejectedForSeconds", "cacheKnowledge", "prefillSpeedRatio", "decodeSpeedRatio");

    private readonly LiveTable _flows = new("flows", "pool", "from", "region", "cluster", "reason", "overflow", "requestsPerSecond", "total");

    private readonly LiveTable _sessions = new("sessions", "session", "own", "leases");

    private readonly LiveTable _machines = new(
        "machines", "kind", "key", "host", "epoch", "ageSeconds", "endpoints", "readyEndpoints", "sampleAgeSeconds", "configVersion");

    /// <summary>All of them.</summary>
    public ImmutableArray<LiveTable> All => [_state, _regions, _clusters, _pools, _shards, _queue, _backends, _utilizations, _endpoints, _flows, _sessions, _machines];

    /// <summary>Endpoints of the last reading.</summary>
    public int EndpointCount { get; private set; }

    /// <summary>Takes the state of the mesh as it is now.</summary>
    public MeshReading Fill()
    {
        var reading = services.Reader.Read();
        foreach (var table in All) table.Begin();
        EndpointCount = 0;
        FillState(reading);
        FillFleet(reading);
        foreach (var pool in reading.Pools) Fill(reading, pool);
        FillSessions(reading);
        FillMachines();
        foreach (var flow in services.History.Flows)
        {
            Set(_flows, [Cell.Of(flow.Pool), Cell.Of(flow.From), Cell.Of(flow.Region), Cell.Of(flow.Cluster), Cell.Of(flow.Reason), Cell.Of(flow.Overflow), Cell.Of(flow.RequestsPerSecond, 2), Cell.Of(flow.Total)]);
            _flows.Put($"{flow.Pool} {flow.Region} {flow.Cluster} {flow.Reason}");
        }

        foreach (var table in All) table.End();
        return reading;
    }

    private void FillState(MeshReading reading)
    {
        var whyNot = services.Readiness.WhyNot(reading.Pools);
        Set(_state,
        [
            Cell.Of(reading.Routing.Region), Cell.Of(reading.Routing.Config.Version), Cell.Of(services.Journal.Revision), Cell.Of(whyNot is null), Cell.Of(whyNot),
            Cell.Of(services.OpenRequests()), Cell.Of(reading.Pools.Sum(PoolView.QueuedIn)), Cell.Of(reading.Pools.Sum(p => p.Leases)),
            Cell.Of(services.Engine.Session.ToString()), Cell.Of(services.History.LastStep), Cell.Of(services.Readiness.Warning),
        ]);
        _state.Put("");
    }

    private void FillFleet(MeshReading reading)
    {
        foreach (var region in FleetView.Regions(reading, services.Links()))
        {
            Set(_regions,
            [
                Cell.Of(region.Name), Cell.Of(region.Own), Cell.Of(region.Link), Cell.Of(region.Endpoints), Cell.Of(region.ReadyEndpoints), Cell.Of(region.InFlightRequests),
                Cell.Of(region.RequestsPerSecond, 1), Cell.Of(region.Fullness, 3), Cell.Of(region.RoundTripMs, 1), Cell.Of(region.CreditRequests), Cell.Of(region.ReportAgeSeconds, 1),
            ]);
            _regions.Put(region.Name);
        }

        foreach (var cluster in FleetView.Clusters(reading))
        {
            Set(_clusters,
            [
                Cell.Of(cluster.Name), Cell.Of(cluster.Region), Cell.Of(cluster.Zone), Cell.Of(cluster.ConfigCluster), Cell.Of(cluster.Endpoints), Cell.Of(cluster.ReadyEndpoints),
                Cell.Of(cluster.InFlightRequests), Cell.Of(cluster.RequestsPerSecond, 1), Cell.Of(cluster.Fullness, 3),
            ]);
            _clusters.Put(cluster.Name);
        }
    }

    private void Fill(MeshReading reading, PoolSnapshot pool)
    {
        var shape = PoolView.Of(reading, pool, services.Latencies, withSettings: false);
        Set(_pools,
        [
            Cell.Of(shape.Id), Cell.Of(shape.LocalToCluster), Cell.Of(shape.Endpoints), Cell.Of(shape.ReadyEndpoints), Cell.Of(shape.InFlightRequests), Cell.Of(shape.Leases),
            Cell.Of(shape.RequestsPerSecond, 1), Cell.Of(shape.QueuedRequests), Cell.Of(shape.Fullness, 3), Cell.Of(shape.Profile), Cell.Of(shape.Epoch), Cell.Of(pool.Sessions.Length),
            Cell.Of(shape.TimeToFirstToken?.P50Ms, 1), Cell.Of(shape.TimeToFirstToken?.P95Ms, 1), Cell.Of(shape.TimePerOutputToken?.P50Ms, 2),
            Cell.Of(shape.TimePerOutputToken?.P95Ms, 2),
        ]);
        _pools.Put(shape.Id);
        foreach (var shard in pool.Shards)
        {
            Set(_shards,
            [
                Cell.Of(shape.Id), Cell.Of(shard.Shard), Cell.Of(shard.Epoch), Cell.Of(shard.Endpoints), Cell.Of(shard.HealthyEndpoints), Cell.Of(shard.Leases),
                Cell.Of(shard.WaitingRequests), Cell.Of(shard.Forwarded), Cell.Of(shard.Received),
            ]);
            _shards.Put($"{shape.Id} {shard.Shard}");
        }

        foreach (var band in shape.Queue)
        {
            Set(_queue, [Cell.Of(shape.Id), Cell.Of(band.Priority), Cell.Of(band.Requests), Cell.Of(band.Flows), Cell.Of(band.OldestWaitSeconds, 1)]);
            _queue.Put($"{shape.Id} {band.Priority}");
        }

        for (var i = 0; i < pool.Backends.Length; i++)
        {
            Fill(shape.Backends[i]);
            foreach (var endpoint in pool.Backends[i].Endpoints) Fill(shape.Id, shape.Backends[i].Id, pool.Backends[i], endpoint, reading.Timestamp);
        }
    }

    private void Fill(Shapes.BackendShape backend)
    {
        Set(_backends,
        [
            Cell.Of(backend.Id), Cell.Of(backend.Pool), Cell.Of(backend.Region), Cell.Of(backend.Cluster), Cell.Of(backend.Zone), Cell.Of(backend.Port), Cell.Of(backend.Endpoints),
            Cell.Of(backend.HealthyEndpoints), Cell.Of(backend.ReadyEndpoints), Cell.Of(backend.InFlightRequests), Cell.Of(backend.WaitingRequests),
            Cell.Of(backend.RequestsPerSecond, 1), Cell.Of(backend.Mode), Cell.Of(backend.Preference), Cell.Of(backend.CapacityScaler, 3),
            Cell.Of(backend.TargetRequestsPerSecond, 3), Cell.Of(backend.TargetInFlightRequests, 3), Cell.Of(backend.TargetUtilizationRatio, 3), Cell.Of(backend.Fullness, 3),
            Cell.Of(backend.KvUtilizationRatio, 3), Cell.Of(backend.Drained), Cell.Of(backend.TimeToFirstToken?.P50Ms, 1), Cell.Of(backend.TimeToFirstToken?.P95Ms, 1),
            Cell.Of(backend.TimeToFirstToken?.P99Ms, 1), Cell.Of(backend.TimePerOutputToken?.P50Ms, 2), Cell.Of(backend.TimePerOutputToken?.P95Ms, 2),
            Cell.Of(backend.TimePerOutputToken?.P99Ms, 2),
        ]);
        _backends.Put($"{backend.Pool} {backend.Id}");
        foreach (var metric in backend.Utilizations)
        {
            Set(_utilizations,
                [Cell.Of(backend.Pool), Cell.Of(backend.Id), Cell.Of(metric.Metric), Cell.Of(metric.ValueRatio, 3), Cell.Of(metric.TargetRatio, 3), Cell.Of(metric.DryRun)]);
            _utilizations.Put($"{backend.Pool} {backend.Id} {metric.Metric}");
        }
    }

    // Without a shape of its own in between: there may be thousands.
    private void Fill(string pool, string backendId, BackendSnapshot backend, EndpointSnapshot endpoint, long now)
    {
        EndpointCount++;
        var sample = endpoint.LastSample;
        var ejectedFor = _endpointView.EjectedFor(endpoint, now);
        var state = EndpointView.StateOf(endpoint, ejectedFor is not null);
        var row = _endpoints.Next;
        row[0] = Cell.Of(endpoint.Id.Address);
        row[1] = Cell.Of(endpoint.PodName);
        row[2] = Cell.Of(pool);
        row[3] = Cell.Of(backendId);
        row[4] = Cell.Of(backend.Id.Cluster);
        row[5] = Cell.Of(backend.Region);
        row[6] = Cell.Of(backend.Id.Zone);
        row[7] = Cell.Of(state);
        row[8] = Cell.Of(EndpointView.WordOf(endpoint.Health));
        row[9] = Cell.Of(endpoint.InFlightRequests);
        row[10] = Cell.Of(endpoint.InFlightTokens);
        row[11] = Cell.Of(endpoint.WaitingRequests);
        row[12] = Cell.Of(endpoint.PredictedWaitMs);
        row[13] = Cell.Of(sample?.KvUtilizationRatio, 2);
        row[14] = Cell.Of(sample?.RunningRequests);
        row[15] = Cell.Of(sample?.WaitingRequests);
        row[16] = Cell.Of(EndpointView.HitRatioOf(sample), 2);
        row[17] = Cell.Of(sample is { RunningAdapters.IsDefaultOrEmpty: false } ? string.Join(' ', sample.RunningAdapters) : null);
        row[18] = Cell.Of(endpoint.Models.IsDefaultOrEmpty ? null : string.Join(' ', endpoint.Models));
        row[19] = Cell.Of(CoarseAge(endpoint.SampleAge));
        row[20] = Cell.Of(endpoint.Ejections);
        row[21] = Cell.Of(ejectedFor is { } left ? Math.Ceiling(left.TotalSeconds) : null);
        row[22] = Cell.Of(EndpointView.WordOf(endpoint.CacheKnowledge));
        row[23] = Cell.Of(endpoint.PrefillSpeedRatio, 1);
        row[24] = Cell.Of(endpoint.DecodeSpeedRatio, 1);
        _endpoints.Put(string.Concat(pool, " ", endpoint.Id.Address));
    }

    private void FillSessions(MeshReading reading)
    {
        foreach (var group in reading.Pools.SelectMany(p => p.Sessions).GroupBy(s => s.Session))
        {
            Set(_sessions, [Cell.Of(group.Key.ToString()), Cell.Of(group.Key == services.Engine.Session), Cell.Of(group.Sum(s => s.Leases))]);
            _sessions.Put(group.Key.ToString());
        }
    }

    private void FillMachines()
    {
        foreach (var machine in services.Engine.Machines())
        {
            var kind = machine.Kind.ToString().ToLowerInvariant();
            Set(_machines,
            [
                Cell.Of(kind), Cell.Of(machine.Key), Cell.Of(machine.Host), Cell.Of(machine.Epoch), Cell.Of(LongAge(machine.Age)), Cell.Of(machine.Endpoints),
                Cell.Of(machine.ReadyEndpoints), Cell.Of(CoarseAge(machine.SampleAge)), Cell.Of(machine.ConfigVersion),
            ]);
            _machines.Put($"{kind} {machine.Key}");
        }
    }

    // In steps of ten seconds, later of a minute: nobody follows it by the second.
    private static double LongAge(TimeSpan age) => age < TimeSpan.FromMinutes(2) ? Math.Floor(age.TotalSeconds / 10) * 10 : Math.Floor(age.TotalMinutes) * 60;

    // Whole seconds, rounded down: the age of a sample that is taken several times a second would change in every row all the time.
    private static double? CoarseAge(TimeSpan? age) => age is { } known ? Math.Floor(known.TotalSeconds) : null;

    private static void Set(LiveTable table, ReadOnlySpan<Cell> cells) => cells.CopyTo(table.Next);
}
