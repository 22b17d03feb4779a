using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.Scheduling;
using Mesh.Core.SpillOver;
using Mesh.Simulation.Traces;

namespace Mesh.Simulation.Fleets;

/// <summary>
/// A described fleet under a pool's policies. The router <c>mesh</c> is the production core with the pool as it is configured, in each
/// region's gateway; <c>mesh-early</c> the same without late binding; <c>core-…</c> the same with another scheduling profile. Every other
/// router knows nothing of regions: there is one in each region, for that region's endpoints.
/// </summary>
/// <param name="fleet">Regions, endpoints and clients.</param>
/// <param name="pool">The pool, with the fleet's endpoints.</param>
/// <param name="seed">Decides everything random.</param>
internal sealed class PolicyFleet(FleetTopology fleet, PoolConfig pool, ulong seed) : IReplayWorld
{
    private const string EarlyMesh = "mesh-early";
    private const string CorePrefix = "core-";

    public int Endpoints => fleet.Endpoints.Count;

    /// <summary>The pool.</summary>
    public PoolConfig Pool => pool;

    public (RunTrack Track, RunTracker Tracker) Play(ReplayRun run, IEnumerable<TraceRequest> rows, CancellationToken cancellationToken)
    {
        var config = ConfigFor(run.Router);
        var views = config is null ? FleetView.OwnRegion(fleet) : FleetView.Whole(fleet);
        var tracker = new RunTracker(run.Slo, RunScope.Of(fleet, views)) { OnProgress = run.OnProgress, WarmUp = run.WarmUp };
        var world = new FleetWorld(
            fleet,
            views,
            region => config is null ? Routers.Make(run.Router, seed, region) : new PolicyRouter(config, LocalityOf(region), fleet, Routers.SeedOf(seed, region)),
            pool.Timeout,
            tracker);
        world.Run(rows, cancellationToken);
        return (tracker.Build(run.Router, run.Load, world.Engines, world.Events, fleet.CostPerHour), tracker);
    }

    public IReplayWorld WithSeed(ulong newSeed) => new PolicyFleet(fleet, pool, newSeed);

    private PoolConfig? ConfigFor(string router)
    {
        if (router == ProfileNames.Mesh) return pool;
        if (router == EarlyMesh) return pool with { Scheduling = pool.Scheduling with { BindAhead = null } };
        if (!router.StartsWith(CorePrefix, StringComparison.Ordinal)) return null;
        return pool with { Scheduling = pool.Scheduling with { Profile = router[CorePrefix.Length..], Declared = null, BindAhead = null } };
    }

    private Locality LocalityOf(int region) => new()
    {
        Region = fleet.Regions[region],
        RoundTripTimes = Enumerable.Range(0, fleet.Regions.Count).Where(r => r != region)
            .ToImmutableSortedDictionary(r => fleet.Regions[r], r => TimeSpan.FromMilliseconds(fleet.RoundTripMs[region][r])),
    };
}
