using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.SpillOver;
using Mesh.Simulation.Baselines;
using Mesh.Simulation.World;

namespace Mesh.Simulation.Fleets;

/// <summary>
/// One region's gateway with the production core and a pool as manifests configure it: it stands in that region and learns of what other
/// gateways send by scrapes alone.
/// </summary>
internal sealed class PolicyRouter : CoreRouter
{
    private readonly CorePoolSetup _setup;

    /// <param name="config">The pool; its endpoints are those of the fleet.</param>
    /// <param name="locality">Where the gateway stands.</param>
    /// <param name="fleet">The fleet, whose order of endpoints is the router's.</param>
    /// <param name="seed">Seed of the pool.</param>
    /// <exception cref="ArgumentException">A backend has an endpoint that is not in the fleet.</exception>
    public PolicyRouter(PoolConfig config, Locality locality, FleetTopology fleet, ulong seed)
    {
        EndpointId[] endpoints = [.. fleet.Endpoints.Select(e => e.Id)];
        var numbers = new Dictionary<EndpointId, int>();
        for (var i = 0; i < endpoints.Length; i++) numbers.Add(endpoints[i], i);
        var exports = new ImmutableArray<MetricExportConfig>[endpoints.Length];
        foreach (var endpoint in config.Backends.SelectMany(b => b.Endpoints))
        {
            if (!numbers.TryGetValue(endpoint.Id, out var number)) throw new ArgumentException($"{endpoint.Id} is not in the fleet.", nameof(config));
            exports[number] = [.. endpoint.MetricsPages.SelectMany(p => p.Exports)];
        }

        _setup = new CorePoolSetup
        {
            Config = config, Endpoints = endpoints, Seed = seed, Locality = locality, Exports = exports, Gateway = $"gateway-{locality.Region}",
        };
    }

    protected override CorePoolSetup SetUp(IWorldHost host) => _setup;
}
