using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;

namespace Mesh.Scenarios;

/// <summary>What is true of the endpoints, as against what the pool knows of them: who answers, and what runs where.</summary>
internal sealed class ScenarioWorld(Scenario scenario)
{
    public static readonly PoolId Pool = new("default", "pool");
    private readonly Dictionary<EndpointId, (int Requests, double Kv)> _running = [];
    private Scenario _scenario = scenario;

    public ImmutableArray<ScenarioBackend> Backends => _scenario.Backends;

    public PoolConfig Config => new()
    {
        Id = Pool,
        FlowControl = _scenario.FlowControl,
        TrafficDistribution = _scenario.TrafficDistribution,
        HealthCheck = new HealthCheckConfig
        {
            Interval = TimeSpan.FromSeconds(_scenario.ProbeIntervalSeconds),
            Timeout = TimeSpan.FromSeconds(_scenario.ProbeIntervalSeconds),
        },
        Backends = [.. _scenario.Backends.Select(Compile)],
    };

    public static EndpointId Endpoint(string cluster, int index) => new($"{cluster}-{index:D2}:8000");

    public void Change(ScenarioEvent change) => _scenario = _scenario with
    {
        FlowControl = change.FlowControl ?? _scenario.FlowControl,
        TrafficDistribution = change.TrafficDistribution ?? _scenario.TrafficDistribution,
        Backends = [.. _scenario.Backends.Select(b => b.Cluster != change.Cluster ? b : b with
        {
            HealthyEndpoints = change.HealthyEndpoints ?? b.HealthyEndpoints,
            Scraped = change.Scraped ?? b.Scraped,
            Endpoints = change.Endpoints ?? b.Endpoints,
            Settings = change.Settings ?? b.Settings,
        })],
    };

    public bool IsUp(string cluster, int index)
    {
        var backend = _scenario.Backends.First(b => b.Cluster == cluster);
        return index < (backend.HealthyEndpoints ?? backend.Endpoints);
    }

    public bool IsScraped(string cluster, int index) => IsUp(cluster, index) && _scenario.Backends.First(b => b.Cluster == cluster).Scraped;

    public void Run(EndpointId endpoint, int requests, double kv)
    {
        var (before, kvBefore) = _running.GetValueOrDefault(endpoint);
        _running[endpoint] = (before + requests, before + requests == 0 ? 0 : kvBefore + kv);
    }

    public EndpointSample Read(EndpointId endpoint, long timestamp)
    {
        var (requests, kv) = _running.GetValueOrDefault(endpoint);
        var used = Math.Clamp(kv, 0, 1);
        return new EndpointSample
        {
            Endpoint = endpoint,
            Timestamp = timestamp,
            KvUtilizationRatio = used,
            RunningRequests = requests,
            WaitingRequests = 0,
            NamedMetrics = ImmutableSortedDictionary<string, double>.Empty.Add("kv-cache", used).Add("batch", Math.Min(1, requests / 256.0)),
        };
    }

    private static BackendConfig Compile(ScenarioBackend backend) => new()
    {
        Id = new BackendId(backend.Cluster, backend.Zone, 8000),
        Region = backend.Region ?? backend.Cluster,
        Settings = backend.Settings,
        Endpoints = [.. Enumerable.Range(0, backend.Endpoints).Select(i => new EndpointConfig { Id = Endpoint(backend.Cluster, i), PodName = $"{backend.Cluster}-{i:D2}" })],
    };
}
