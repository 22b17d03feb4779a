using Mesh.Simulation.Baselines;
using Mesh.Simulation.Model;

namespace Mesh.Simulation.World;

/// <summary>One region: its gateway's router and its endpoints.</summary>
internal sealed class WorldRegion(DiscreteWorld world, int number, int firstEndpoint, int endpoints, IWorldRouter router) : IWorldHost
{
    private double _wakeMs = double.PositiveInfinity;
    private int _wakeVersion;

    public IWorldRouter Router => router;

    public int FirstEndpoint => firstEndpoint;

    public VirtualClock Clock => world.Clock;

    public int Endpoints => endpoints;

    public double LatencyMs => world.LatencyMs;

    public VllmEngine Engine(int endpoint) => world.EngineAt(firstEndpoint + endpoint);

    public void Send(WorldRequest request, int endpoint)
    {
        if ((uint)endpoint >= (uint)endpoints) throw new ArgumentOutOfRangeException(nameof(endpoint), endpoint, "No such endpoint in this region.");
        world.Send(request, endpoint, firstEndpoint + endpoint);
    }

    public void Refuse(WorldRequest request) => world.Refuse(request);

    public void WakeAt(double timeMs)
    {
        timeMs = Math.Max(timeMs, Clock.NowMs);
        if (timeMs >= _wakeMs) return;
        _wakeMs = timeMs;
        world.Schedule(timeMs, EventKind.Wake, ++_wakeVersion, number);
    }

    /// <summary>A moment that was asked for; one that was asked for again earlier is past.</summary>
    public void Wake(int version)
    {
        if (version != _wakeVersion) return;
        _wakeMs = double.PositiveInfinity;
        router.OnWake();
    }
}
