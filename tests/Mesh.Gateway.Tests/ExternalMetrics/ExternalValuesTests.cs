using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Snapshots;
using Mesh.Gateway.ExternalMetrics;

namespace Mesh.Gateway.Tests.ExternalMetrics;

public sealed class ExternalValuesTests
{
    private static readonly PoolId Pool = new("default", "llama");

    private static EndpointSnapshot Endpoint(int number, double? kv, int inFlight = 0, int waiting = 0, TimeSpan? age = null, bool drained = false, EndpointHealth health = EndpointHealth.Healthy)
    {
        var id = new EndpointId($"10.0.0.{number}:8000");
        return new EndpointSnapshot
        {
            Id = id,
            PodName = $"pod-{number}",
            Health = health,
            Drained = drained,
            InFlightRequests = inFlight,
            WaitingRequests = waiting,
            SampleAge = kv is null ? null : age ?? TimeSpan.FromSeconds(1),
            LastSample = kv is null ? null : new EndpointSample
            {
                Endpoint = id, Timestamp = 1, KvUtilizationRatio = kv, WaitingRequests = number, NamedMetrics = ImmutableSortedDictionary<string, double>.Empty.Add("kv-cache", kv.Value),
            },
        };
    }

    private static BackendSnapshot Backend(string cluster, string region, double? fullness, params EndpointSnapshot[] endpoints) =>
        new() { Id = new BackendId(cluster, "z", 8000), Region = region, Fullness = fullness, Endpoints = [.. endpoints] };

    private static double? Value(PoolSnapshot pool, string metric, string statistic, string? cluster = null)
    {
        var found = ExternalValues.Read([pool]).Where(v => v.Metric == metric && v.Statistic == statistic && v.Cluster == cluster).ToArray();
        return found.Length == 0 ? null : Assert.Single(found).Value;
    }

    [Fact]
    public void Read_TwoClusters_AverageAndSumOfEachAndOfThePool()
    {
        var pool = new PoolSnapshot
        {
            Id = Pool,
            Queue = [new QueueBandSnapshot(10, 2, 1), new QueueBandSnapshot(0, 3, 1)],
            Backends = [Backend("west", "eu", 1.5, Endpoint(1, 0.2, 4, 1), Endpoint(2, 0.4, 2)), Backend("east", "us", 0.3, Endpoint(3, 0.9, 1, 3))],
        };
        Assert.Equal(0.5, Value(pool, "kv-cache", "average")!.Value, 9);
        Assert.Equal(1.5, Value(pool, "kv-cache", "sum")!.Value, 9);
        Assert.Equal(0.9, Value(pool, "kv-cache", "max"));
        Assert.Equal(0.3, Value(pool, "kv-cache", "average", "west")!.Value, 9);
        Assert.Equal(0.9, Value(pool, "mesh-kv-cache-utilization", "sum", "east"));
        Assert.Equal((5, 1, 3), (Value(pool, "mesh-queue-length", "sum"), Value(pool, "mesh-queue-length", "sum", "west"), Value(pool, "mesh-queue-length", "sum", "east")));
        Assert.Equal((6, 3), (Value(pool, "mesh-engine-queue-length", "sum"), Value(pool, "mesh-engine-queue-length", "sum", "west")));
        Assert.Equal((7, 3), (Value(pool, "mesh-in-flight-requests", "sum"), Value(pool, "mesh-in-flight-requests", "average", "west")));
        Assert.Equal(1.1, Value(pool, "mesh-fullness", "average")!.Value, 9);
        Assert.Equal(1.5, Value(pool, "mesh-fullness", "max"));
        Assert.Equal((3, 1), (Value(pool, "mesh-ready-endpoints", "sum"), Value(pool, "mesh-ready-endpoints", "sum", "east")));
    }

    [Fact]
    public void Read_NobodyReports_IsAbsentAndNotZero()
    {
        var pool = new PoolSnapshot
        {
            Id = Pool,
            Backends = [Backend("west", "eu", null, Endpoint(1, null), Endpoint(2, 0.4, age: TimeSpan.FromSeconds(60)), Endpoint(3, 0.4, health: EndpointHealth.Unhealthy))],
        };
        Assert.Null(Value(pool, "kv-cache", "average"));
        Assert.Null(Value(pool, "mesh-fullness", "average"));
        Assert.Equal(2, Value(pool, "mesh-ready-endpoints", "sum"));
    }

    [Fact]
    public void Read_DrainedEndpoint_CountsForNothing()
    {
        var pool = new PoolSnapshot { Id = Pool, Backends = [Backend("west", "eu", null, Endpoint(1, 0.2), Endpoint(2, 0.0, drained: true))] };
        Assert.Equal((0.2, 1), (Value(pool, "kv-cache", "average"), Value(pool, "mesh-ready-endpoints", "sum")));
    }
}
