using Mesh.Simulation.Model;
using Mesh.Simulation.World;

namespace Mesh.Simulation.Regions;

/// <summary>What all parts of a world of regions share: the time, what is to come, the regions with their engines, the links between them, and the judge.</summary>
internal sealed class RegionStage
{
    /// <summary>One way between a gateway and an engine of its own region.</summary>
    public const double LocalLatencyMs = 0.5;

    /// <summary>Time between two looks at something that may have ended, or may go through by now.</summary>
    public const double WatchMs = 100;

    private readonly PriorityQueue<RegionEvent, (double TimeMs, long Order)> _events = new();
    private long _order;

    public RegionStage(RegionWorldOptions options, IRegionGate gate, bool isOmniscient)
    {
        Options = options;
        Gate = gate;
        IsOmniscient = isOmniscient;
        Links = new RegionLinks(options);
        Judge = new RegionJudge(options);
        Ledger = new RegionLedger(Clock, Judge);
        Engines = new VllmEngine[options.Regions * options.EndpointsPerRegion];
        for (var i = 0; i < Engines.Length; i++) Engines[i] = new VllmEngine(options.Engine);
        Sites = new RegionSite[options.Regions];
        for (var i = 0; i < Sites.Length; i++) Sites[i] = new RegionSite(i, options, Clock, gate);
    }

    public RegionWorldOptions Options { get; }

    public IRegionGate Gate { get; }

    /// <summary>True when one scheduler that sees all places every request.</summary>
    public bool IsOmniscient { get; }

    public VirtualClock Clock { get; } = new();

    public double NowMs => Clock.NowMs;

    public RegionLinks Links { get; }

    public RegionJudge Judge { get; }

    public RegionLedger Ledger { get; }

    /// <summary>Those of all regions, one region's after the other's.</summary>
    public VllmEngine[] Engines { get; }

    public RegionSite[] Sites { get; }

    /// <summary>Notes something to come; what comes at one time comes in the order in which it was noted.</summary>
    public void Add(double timeMs, RegionEventKind kind, int first, int second, object? subject) =>
        _events.Enqueue(new RegionEvent(kind, first, second, subject), (timeMs, _order++));

    /// <summary>Moves on to what comes next; false when nothing does.</summary>
    /// <param name="next">What comes.</param>
    /// <param name="timeMs">The time that it was noted for.</param>
    public bool TryMoveOn(out RegionEvent next, out double timeMs)
    {
        var comes = _events.TryDequeue(out next, out var at);
        timeMs = at.TimeMs;
        if (comes) Clock.MoveTo(Math.Max(Clock.NowMs, timeMs));
        return comes;
    }
}
