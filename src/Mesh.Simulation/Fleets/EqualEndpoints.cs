using Mesh.Simulation.Traces;
using Mesh.Simulation.World;

namespace Mesh.Simulation.Fleets;

/// <summary>Regions of equal endpoints without policies, each region by itself: the world in which routers are compared.</summary>
internal sealed class EqualEndpoints(WorldOptions options) : IReplayWorld
{
    public int Endpoints => options.Regions * options.EndpointsPerRegion;

    public (RunTrack Track, RunTracker Tracker) Play(ReplayRun run, IEnumerable<TraceRequest> rows, CancellationToken cancellationToken)
    {
        var fleet = FleetTopology.Equal(options);
        var views = FleetView.OwnRegion(fleet);
        var tracker = new RunTracker(run.Slo, RunScope.Of(fleet, views)) { OnProgress = run.OnProgress, WarmUp = run.WarmUp };
        // Clients wait as long as it takes: what a time-out would hide is to be seen.
        var world = new FleetWorld(fleet, views, region => Routers.Make(run.Router, options.Seed, region), Timeout.InfiniteTimeSpan, tracker);
        world.Run(rows, cancellationToken);
        return (tracker.Build(run.Router, run.Load, world.Engines, world.Events), tracker);
    }

    public IReplayWorld WithSeed(ulong seed) => new EqualEndpoints(options with { Seed = seed });
}
