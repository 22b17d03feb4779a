using Mesh.Simulation.World;

namespace Mesh.Simulation.Fleets;

/// <summary>
/// Readings of the engines' gauges, by each region's gateway for itself: every endpoint once per interval of its router, spread evenly, a
/// resting one up to ten times less often until it gets a request, and one that is crowded at the shorter interval of routers that have one,
/// all as the production scraper does it. From farther away than a neighbour the reading takes its way back, and the next one waits for it.
/// Not thread-safe.
/// </summary>
internal sealed class FleetScrapes(EventQueue events, FleetEngines engines, VirtualClock clock)
{
    private const int MostRestingTurns = 10;
    private const double CrowdedKvUtilizationRatio = 0.8;

    // Below this, the way back is left out: it would double the number of events for nothing.
    private const double NearMs = 2;

    // Turns come at fixed times, one after another: one event per region stands for all of them, apart from the rest.
    private readonly EventQueue _turns = new();
    private readonly List<Region> _regions = [];

    /// <summary>Adds the next region's gateway. Its first turn is now.</summary>
    public void Add(FleetHost host)
    {
        _regions.Add(new Region(host));
        if (host.Router.ScrapeIntervalMs > 0) _turns.Add(clock.NowMs, EventKind.Scrape, _regions.Count - 1, 0);
    }

    /// <summary>Takes what happens next: a turn, or the earliest of the world's events, which comes first at the same time. False when nothing does.</summary>
    public bool TryTakeNext(out WorldEvent next)
    {
        if (_turns.Count == 0 || (events.Count > 0 && events.Earliest.TimeMs <= _turns.Earliest.TimeMs)) return events.TryTake(out next);
        next = _turns.Earliest;
        return true;
    }

    /// <summary>A request has reached an endpoint: its gateway does not take it for resting any more.</summary>
    public void OnWork(int region, int endpoint) => _regions[region].Paces[endpoint] = _regions[region].Paces[endpoint] with { Turns = 1, LeaveOut = 0 };

    /// <summary>An endpoint's turn, by its number with the region's router.</summary>
    public void Turn(int region, int endpoint)
    {
        var (host, paces) = (_regions[region].Host, _regions[region].Paces);
        _turns.ReplaceEarliest(
            clock.NowMs + (host.Router.ScrapeIntervalMs / host.Endpoints), EventKind.Scrape, region, endpoint + 1 == host.Endpoints ? 0 : endpoint + 1);
        ref var pace = ref paces[endpoint];
        if (pace.LeaveOut > 0) pace.LeaveOut--;
        else if (!pace.IsAwaited) Read(region, endpoint, host.Router.ScrapeIntervalMs, ref pace);
    }

    /// <summary>A further reading between two turns of a crowded endpoint.</summary>
    public void ReadCrowded(int region, int endpoint)
    {
        ref var pace = ref _regions[region].Paces[endpoint];
        if (!pace.IsAwaited) Read(region, endpoint, pace.LeftMs, ref pace);
    }

    /// <summary>A reading has made its way back.</summary>
    public void Answer(int region, int endpoint)
    {
        _regions[region].Paces[endpoint].IsAwaited = false;
        _regions[region].Host.Router.OnScrape(endpoint, in _regions[region].Gauges[endpoint]);
    }

    private void Read(int number, int endpoint, double leftMs, ref Pace pace)
    {
        var region = _regions[number];
        var router = region.Host.Router;
        var engine = engines.Now(region.Host.FleetNumber(endpoint));
        var gauges = new EngineGauges(engine.Running, engine.Waiting, engine.KvUtilizationRatio);
        pace.Turns = gauges is { Running: 0, Waiting: 0 } ? (byte)Math.Min(pace.Turns * 2, MostRestingTurns) : (byte)1;
        pace.LeaveOut = (byte)(pace.Turns - 1);
        pace.LeftMs = leftMs - router.CrowdedScrapeIntervalMs;
        // The last reading before the next turn is that turn's.
        if (router.CrowdedScrapeIntervalMs > 0 && pace.LeftMs > router.CrowdedScrapeIntervalMs / 2
            && (gauges.Waiting > 0 || gauges.KvUtilizationRatio >= CrowdedKvUtilizationRatio))
        {
            events.Add(clock.NowMs + router.CrowdedScrapeIntervalMs, EventKind.CrowdedScrape, number, endpoint);
        }

        var oneWayMs = region.Host.OneWayMs(endpoint);
        if (oneWayMs < NearMs)
        {
            router.OnScrape(endpoint, in gauges);
            return;
        }

        pace.IsAwaited = true;
        region.Gauges[endpoint] = gauges;
        events.Add(clock.NowMs + oneWayMs, EventKind.ScrapeAnswer, number, endpoint);
    }

    private sealed class Region(FleetHost host)
    {
        public FleetHost Host => host;

        public Pace[] Paces { get; } = [.. Enumerable.Repeat(new Pace { Turns = 1 }, host.Endpoints)];

        public EngineGauges[] Gauges { get; } = new EngineGauges[host.Endpoints];
    }

    private record struct Pace
    {
        /// <summary>Time until the next turn.</summary>
        public double LeftMs;

        /// <summary>One reading in so many turns.</summary>
        public byte Turns;

        /// <summary>Turns to leave out before the next.</summary>
        public byte LeaveOut;

        /// <summary>A reading is on its way back.</summary>
        public bool IsAwaited;
    }
}
