using Mesh.Core.Config;
using Mesh.Core.Scheduling;
using Mesh.Simulation.Fleets;
using Mesh.Simulation.World;

namespace Mesh.Simulation.Baselines;

/// <summary>The production core with one backend of all endpoints and no policy but a scheduling profile.</summary>
/// <param name="seed">Seed of the pool.</param>
/// <param name="profile">Name of the scheduling profile.</param>
/// <param name="bindsLate">Whether a request waits in the pool until its endpoint is nearly ready for it; only the default profile does.</param>
/// <param name="cacheEvents">Whether engines tell what their caches hold, at once and without loss; else prefixes are known from what was routed.</param>
internal sealed class MeshRouter(ulong seed, string profile = ProfileNames.Mesh, bool bindsLate = true, bool cacheEvents = false) : CoreRouter
{
    protected override CorePoolSetup SetUp(IWorldHost host)
    {
        var endpoints = new Core.Endpoints.EndpointId[host.Endpoints];
        for (var i = 0; i < endpoints.Length; i++) endpoints[i] = FleetTopology.IdOf(i);
        var config = new PoolConfig
        {
            Id = new PoolId("default", "pool"),
            Scheduling = new SchedulingConfig
            {
                Profile = profile,
                BindAhead = bindsLate ? new SchedulingConfig().BindAhead : null,
                StepTimes = host.Engine(0).Options.StepTimes,
            },
            // The world's clients wait as long as it takes: what a time-out would hide is to be seen.
            Timeout = TimeSpan.FromHours(10),
            Backends =
            [
                new BackendConfig
                {
                    Id = new BackendId("cluster", "zone", 8000),
                    Region = "region",
                    Endpoints = [.. endpoints.Order().Select(e => new EndpointConfig { Id = e, PodName = e.Address })],
                },
            ],
        };
        return new CorePoolSetup { Config = config, Endpoints = endpoints, Seed = seed, CacheEvents = cacheEvents };
    }
}
