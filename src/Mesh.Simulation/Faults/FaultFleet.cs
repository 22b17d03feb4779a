using Mesh.Core.Config;
using Mesh.Simulation.Faults.Processes;
using Mesh.Simulation.Faults.Script;

namespace Mesh.Simulation.Faults;

/// <summary>The manifests of a fault world: which endpoints there are, under which policy; it makes the configuration that follows.</summary>
internal sealed class FaultFleet(FaultPlan plan, EndpointProcess[] endpoints)
{
    private static readonly TimeSpan ProbeInterval = TimeSpan.FromSeconds(1);
    private readonly int[] _removed = new int[endpoints.Length];
    private readonly RegionPolicy[] _policies = [.. Enumerable.Repeat(new RegionPolicy(1, plan.MaxInFlight, plan.MaxRate), plan.Regions)];

    /// <summary>A pool by number.</summary>
    public static PoolId Pool(int pool) => new("default", $"pool-{pool}");

    /// <summary>Pool of an endpoint: those of a region are dealt out in turn.</summary>
    public int PoolOf(EndpointProcess endpoint) => endpoint.Number % plan.EndpointsPerRegion % plan.PoolWeights.Count;

    /// <summary>A model of a pool by number.</summary>
    public static string Model(int pool, int model) => $"pool-{pool}/model-{model}";

    /// <summary>Takes an endpoint out of the manifests, or puts it back; as often as it was taken out.</summary>
    public void Remove(int endpoint, int change) => _removed[endpoint] += change;

    /// <summary>Edits a region's policy, which is that of all of its pools.</summary>
    public void SetPolicy(int region, double scaler, int? maxInFlight, double? maxRate) => _policies[region] = new RegionPolicy(scaler, maxInFlight, maxRate);

    /// <summary>The configuration as of now, by pool.</summary>
    public PoolConfig[] Compile() => [.. Enumerable.Range(0, plan.PoolWeights.Count).Select(Compile)];

    private PoolConfig Compile(int pool) => new()
    {
        Id = Pool(pool),
        Timeout = plan.Timeout,
        DrainingLimit = plan.DrainingLimit,
        HealthCheck = new HealthCheckConfig { Interval = ProbeInterval, Timeout = ProbeInterval },
        TrafficDistribution = new TrafficDistributionConfig { AutoCapacityDrain = plan.AutoCapacityDrain },
        FlowControl = plan.FlowControl,
        Scheduling = new SchedulingConfig { Profile = plan.Profile, BindAhead = plan.BindAhead },
        Backends = [.. Enumerable.Range(0, plan.Regions).Select(region => Backend(pool, region))],
    };

    private BackendConfig Backend(int pool, int region) => new()
    {
        Id = new BackendId($"cluster-{region}", "zone", 8000),
        Region = RegionName(region),
        Settings = new BackendSettings
        {
            Mode = _policies[region].Mode,
            MaxInFlightPerEndpoint = _policies[region].MaxInFlight,
            MaxRatePerEndpoint = _policies[region].MaxRate,
            CapacityScaler = _policies[region].Scaler,
        },
        Endpoints =
        [
            .. endpoints.Where(e => e.Region == region && PoolOf(e) == pool && _removed[e.Number] == 0).Select(e => e.Id).Order()
                .Select(id => new EndpointConfig { Id = id, PodName = id.Address }),
        ],
    };

    /// <summary>Name of a region by number.</summary>
    public static string RegionName(int region) => $"region-{region}";

    private sealed record RegionPolicy(double Scaler, int? MaxInFlight, double? MaxRate)
    {
        public BalancingMode? Mode => MaxInFlight is not null ? BalancingMode.InFlight : MaxRate is not null ? BalancingMode.Rate : null;
    }
}
