using Mesh.Core.Config;
using Mesh.Simulation.Faults.Processes;
using Mesh.Simulation.Faults.Script;

namespace Mesh.Simulation.Faults;

/// <summary>The manifests of a fault world: which endpoints there are, under which policy; it makes the configuration that follows.</summary>
internal sealed class FaultFleet(FaultPlan plan, EndpointProcess[] endpoints)
{
    private static readonly TimeSpan ProbeInterval = TimeSpan.FromSeconds(1);
    private readonly int[] _removed = new int[endpoints.Length];
    private readonly RegionPolicy[] _policies = [.. Enumerable.Repeat(new RegionPolicy(1, plan.MaxInFlight), plan.Regions)];

    /// <summary>The one pool.</summary>
    public static PoolId Pool { get; } = new("default", "pool");

    /// <summary>Takes an endpoint out of the manifests, or puts it back; as often as it was taken out.</summary>
    public void Remove(int endpoint, int change) => _removed[endpoint] += change;

    /// <summary>Edits a region's policy.</summary>
    public void SetPolicy(int region, double scaler, int? maxInFlight) => _policies[region] = new RegionPolicy(scaler, maxInFlight);

    /// <summary>The configuration as of now.</summary>
    public PoolConfig Compile() => new()
    {
        Id = Pool,
        Timeout = plan.Timeout,
        DrainingLimit = plan.DrainingLimit,
        HealthCheck = new HealthCheckConfig { Interval = ProbeInterval, Timeout = ProbeInterval },
        TrafficDistribution = new TrafficDistributionConfig { AutoCapacityDrain = plan.AutoCapacityDrain },
        FlowControl = plan.FlowControl,
        Scheduling = new SchedulingConfig { Profile = plan.Profile, BindAhead = plan.BindAhead },
        Backends = [.. Enumerable.Range(0, plan.Regions).Select(Backend)],
    };

    private BackendConfig Backend(int region) => new()
    {
        Id = new BackendId($"cluster-{region}", "zone", 8000),
        Region = RegionName(region),
        Settings = new BackendSettings
        {
            Mode = _policies[region].MaxInFlight is null ? null : BalancingMode.InFlight,
            MaxInFlightPerEndpoint = _policies[region].MaxInFlight,
            CapacityScaler = _policies[region].Scaler,
        },
        Endpoints =
        [
            .. endpoints.Where(e => e.Region == region && _removed[e.Number] == 0).Select(e => e.Id).Order()
                .Select(id => new EndpointConfig { Id = id, PodName = id.Address }),
        ],
    };

    /// <summary>Name of a region by number.</summary>
    public static string RegionName(int region) => $"region-{region}";

    private sealed record RegionPolicy(double Scaler, int? MaxInFlight);
}
