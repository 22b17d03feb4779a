using Mesh.Simulation.Traces;
using Mesh.Simulation.World;

namespace Mesh.Simulation.Fleets;

/// <summary>Regions of equal endpoints without policies, each region by itself: the world in which routers are compared.</summary>
internal sealed class EqualEndpoints(WorldOptions options) : IReplayWorld
{
    public int Endpoints => options.Regions * options.EndpointsPerRegion;

    public (RunTrack Track, RunTracker Tracker) Play(ReplayRun run, IEnumerable<TraceRequest> rows, CancellationToken cancellationToken)
    {
        var tracker = new RunTracker(run.Slo, RunScope.Of(options)) { OnProgress = run.OnProgress };
        var world = new DiscreteWorld(options, region => Routers.Make(run.Router, options.Seed, region), tracker);
        world.Run(rows, cancellationToken);
        return (tracker.Build(run.Router, run.Load, world.Engines, world.Events), tracker);
    }

    public IReplayWorld WithSeed(ulong seed) => new EqualEndpoints(options with { Seed = seed });
}
