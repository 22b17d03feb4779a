using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.Snapshots;
using Mesh.Gateway.Admin.History;
using Mesh.Gateway.Admin.Journal;
using Mesh.Gateway.Admin.Shapes;
using Mesh.Resources.Effective;

namespace Mesh.Gateway.Admin.Views;

/// <summary>Pools in the API's shape.</summary>
internal static class PoolView
{
    /// <summary>A pool.</summary>
    /// <param name="reading">State of the mesh.</param>
    /// <param name="pool">The pool.</param>
    /// <param name="latencies">Times of the last minute.</param>
    /// <param name="withSettings">True to tell policies and every setting.</param>
    public static PoolShape Of(MeshReading reading, PoolSnapshot pool, BackendLatencies latencies, bool withSettings)
    {
        var load = new Load();
        foreach (var backend in pool.Backends) load.Add(backend);
        var effective = reading.EffectiveOf(pool.Id);
        var config = reading.Routing.Pool(pool.Id)?.Config;
        var label = pool.Id.ToString();
        return new PoolShape
        {
            Id = label,
            Namespace = pool.Id.Namespace,
            Name = pool.Id.Name,
            LocalToCluster = config?.LocalToCluster,
            Endpoints = load.Endpoints,
            ReadyEndpoints = load.Ready,
            InFlightRequests = load.InFlight,
            Leases = pool.Leases,
            RequestsPerSecond = Rounded.Or0(load.Rate),
            QueuedRequests = QueuedIn(pool),
            Queue = [.. pool.Queue.Select(b => new QueueShape(b.Priority, b.Requests, b.Flows, Rounded.Or0(b.OldestWait.TotalSeconds)))],
            Fullness = Rounded.To3(load.Fullness),
            Profile = config?.Scheduling.Profile,
            Epoch = pool.Epoch,
            TimeToFirstToken = latencies.FirstToken(label, LatencyCounts.Steps),
            TimePerOutputToken = latencies.OutputToken(label, LatencyCounts.Steps),
            FirstTokenPredictions = Of(pool.FirstTokenPredictions),
            OutputTokenPredictions = Of(pool.OutputTokenPredictions),
            Backends = [.. pool.Backends.Select(b => BackendView.Of(pool, b, effective, latencies, withSettings))],
            Shards = pool.Shards.IsEmpty ? null
                : [.. pool.Shards.Select(s => new ShardShape(s.Shard, s.Epoch, s.Endpoints, s.HealthyEndpoints, s.Leases, s.WaitingRequests, s.Forwarded, s.Received))],
            Policies = withSettings && effective is not null ? Policies(effective) : null,
            Settings = withSettings && effective is not null ? [.. effective.Settings.Select(Manifests.Of)] : null,
        };
    }

    /// <summary>Requests that wait in a pool.</summary>
    public static int QueuedIn(PoolSnapshot pool)
    {
        var sum = 0;
        foreach (var band in pool.Queue) sum += band.Requests;
        return sum;
    }

    /// <summary>A pool by what a person calls it: <c>namespace/name</c>, or the name alone where only one has it.</summary>
    public static PoolId? Find(MeshConfig config, string name)
    {
        PoolId? found = null;
        foreach (var pool in config.Pools)
        {
            if (pool.Id.ToString() == name) return pool.Id;
            if (pool.Id.Name != name) continue;
            if (found is not null) return null;
            found = pool.Id;
        }

        return found;
    }

    private static PredictionShape Of(PredictionSnapshot p) =>
        new(p.Count, p.Count == 0 ? null : Rounded.To3(p.ObservedMs / p.Count), p.Count == 0 ? null : Rounded.To3(p.AbsoluteErrorMs / p.Count));

    private static ImmutableArray<AttachedPolicyShape> Policies(EffectivePool pool)
    {
        var all = ImmutableArray.CreateBuilder<AttachedPolicyShape>();
        Add("GCPBackendPolicy", pool.BackendPolicy);
        Add("HealthCheckPolicy", pool.HealthCheckPolicy);
        Add("GCPTrafficDistributionPolicy", pool.TrafficDistributionPolicy);
        Add("FlowControlPolicy", pool.FlowControlPolicy);
        Add("KvEventsPolicy", pool.KvEventsPolicy);
        Add("SchedulingProfile", pool.SchedulingProfile);
        return all.ToImmutable();

        void Add(string kind, string? name)
        {
            if (name is not null) all.Add(new AttachedPolicyShape(kind, name));
        }
    }
}
