using System.Collections.Immutable;
using Mesh.Core.Endpoints;
using Mesh.Core.Snapshots;

namespace Mesh.Gateway.ExternalMetrics;

/// <summary>
/// Makes the figures from the engine's state: for each pool, and for each of its clusters. A drained or removed endpoint counts for nothing; a sample that is too old is unknown;
/// and what nobody reports is absent, never 0: an autoscaler that is told 0 takes the pool down.
/// </summary>
internal static class ExternalValues
{
    // Where the sample does not say how long it counts: longer than the slowest pace of scrapes.
    private static readonly TimeSpan SampleMaxAge = TimeSpan.FromSeconds(10);

    /// <summary>All figures of all pools, in a stable order.</summary>
    public static List<ExternalValue> Read(ImmutableArray<PoolSnapshot> pools)
    {
        var values = new List<ExternalValue>();
        foreach (var pool in pools)
        {
            Add(values, pool, null, null, [.. pool.Backends], pool.Queue.Sum(b => b.Requests));
            foreach (var cluster in pool.Backends.GroupBy(b => (b.Region, b.Id.Cluster)).OrderBy(g => g.Key.Cluster, StringComparer.Ordinal))
            {
                var waiting = cluster.SelectMany(b => b.Endpoints).Sum(e => e.WaitingRequests);
                Add(values, pool, cluster.Key.Region, cluster.Key.Cluster, [.. cluster], waiting);
            }
        }

        return values;
    }

    private static void Add(List<ExternalValue> values, PoolSnapshot pool, string? region, string? cluster, BackendSnapshot[] backends, int waiting)
    {
        EndpointSnapshot[] endpoints = [.. backends.SelectMany(b => b.Endpoints).Where(e => e is { Draining: false, Drained: false })];
        EndpointSample[] samples = [.. endpoints.Where(IsFresh).Select(e => e.LastSample!)];
        foreach (var name in samples.SelectMany(s => s.NamedMetrics.Keys).Distinct().Order(StringComparer.Ordinal))
        {
            AddAll(name, [.. samples.Where(s => s.NamedMetrics.ContainsKey(name)).Select(s => s.NamedMetrics[name])]);
        }

        AddAll(ExternalMetricNames.EngineQueueLength, [.. samples.Where(s => s.WaitingRequests is not null).Select(s => (double)s.WaitingRequests!.Value)]);
        var full = backends.Where(b => b.Fullness is not null).ToArray();
        if (full.Length > 0)
        {
            // A backend of many endpoints says more of the whole than one of few.
            var weight = full.Sum(b => (double)Math.Max(1, b.Endpoints.Length));
            AddOne(ExternalMetricNames.Fullness, Statistics.Average, full.Sum(b => b.Fullness!.Value * Math.Max(1, b.Endpoints.Length)) / weight);
            AddOne(ExternalMetricNames.Fullness, Statistics.Max, full.Max(b => b.Fullness!.Value));
        }

        AddAll(ExternalMetricNames.InFlight, [.. endpoints.Select(e => (double)e.InFlightRequests)]);
        AddAll(ExternalMetricNames.KvUtilization, [.. samples.Where(s => s.KvUtilizationRatio is not null).Select(s => s.KvUtilizationRatio!.Value)]);
        AddOne(ExternalMetricNames.QueueLength, Statistics.Sum, waiting);
        AddOne(ExternalMetricNames.ReadyEndpoints, Statistics.Sum, endpoints.Count(e => e.Health == EndpointHealth.Healthy));

        void AddAll(string metric, double[] reported)
        {
            if (reported.Length == 0) return;
            AddOne(metric, Statistics.Average, reported.Average());
            AddOne(metric, Statistics.Max, reported.Max());
            AddOne(metric, Statistics.Sum, reported.Sum());
        }

        void AddOne(string metric, string statistic, double value)
        {
            if (double.IsFinite(value)) values.Add(new ExternalValue(pool.Id, region, cluster, metric, statistic, value));
        }
    }

    private static bool IsFresh(EndpointSnapshot endpoint) =>
        endpoint is { Health: EndpointHealth.Healthy, LastSample: { } sample, SampleAge: { } age } && age <= (sample.MaxAge ?? SampleMaxAge);
}
