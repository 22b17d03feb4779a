using Mesh.Simulation.Baselines;
using Mesh.Simulation.Model;
using Mesh.Simulation.World;

namespace Mesh.Simulation.Fleets;

/// <summary>One region's gateway: its router and the endpoints that the router sees.</summary>
internal sealed class FleetHost(FleetWorld world, int region, int[] view, IWorldRouter router) : IWorldHost
{
    private double _wakeMs = double.PositiveInfinity;
    private int _wakeVersion;

    public IWorldRouter Router => router;

    public VirtualClock Clock => world.Clock;

    public int Endpoints => view.Length;

    public double LatencyMs => OneWayMs(0);

    /// <summary>Number of an endpoint in the whole fleet.</summary>
    public int FleetNumber(int endpoint) => view[endpoint];

    /// <summary>Time to an endpoint, and back, each.</summary>
    public double OneWayMs(int endpoint) => world.OneWayMs(region, view[endpoint]);

    public VllmEngine Engine(int endpoint) => world.EngineAt(view[endpoint]);

    public void Send(WorldRequest request, int endpoint)
    {
        if ((uint)endpoint >= (uint)view.Length) throw new ArgumentOutOfRangeException(nameof(endpoint), endpoint, "The router sees no such endpoint.");
        world.Send(request, endpoint, view[endpoint]);
    }

    public void Refuse(WorldRequest request) => world.Refuse(request);

    public void WakeAt(double timeMs)
    {
        timeMs = Math.Max(timeMs, Clock.NowMs);
        if (timeMs >= _wakeMs) return;
        _wakeMs = timeMs;
        world.Schedule(timeMs, EventKind.Wake, ++_wakeVersion, region);
    }

    /// <summary>A moment that was asked for; one that was asked for again earlier is past.</summary>
    public void Wake(int version)
    {
        if (version != _wakeVersion) return;
        _wakeMs = double.PositiveInfinity;
        router.OnWake();
    }
}
