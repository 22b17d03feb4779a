using Mesh.Simulation.Baselines;
using Mesh.Simulation.Model;
using Mesh.Simulation.Traces;
using Mesh.Simulation.World;

namespace Mesh.Simulation.Fleets;

/// <summary>
/// A fleet of several regions in virtual time: clients ask the gateway of their region, whose router places the request anywhere that it
/// sees; what lies between regions takes half a round trip each way. The same topology, trace and routers give the same run, to the bit.
/// Not thread-safe; a world is run once.
/// </summary>
internal sealed class FleetWorld : ISequenceSink
{
    private const double LongestStandstillMs = 3_600_000;

    private readonly FleetTopology _fleet;
    private readonly int[] _regionOf;
    private readonly double[][] _oneWayMs;
    private readonly EventQueue _events = new();
    private readonly FleetEngines _engines;
    private readonly FleetHost[] _hosts;
    private readonly FleetScrapes _scrapes;
    private readonly double _timeoutMs;
    private readonly TravellerTable _travellers = new();
    private readonly IRunObserver _observer;
    private FleetArrivals? _arrivals;
    private double _lastProgressMs;

    /// <summary>Builds the fleet.</summary>
    /// <param name="fleet">Regions, endpoints and clients.</param>
    /// <param name="view">Endpoints that each region's router sees: <see cref="FleetView"/>.</param>
    /// <param name="makeRouter">Makes a region's router; is given the region's number.</param>
    /// <param name="timeout">Longest time of one request, waiting included, after which the gateway gives it up; infinite for none.</param>
    /// <param name="observer">Is told every end.</param>
    /// <exception cref="ArgumentException">The fleet is out of its ranges.</exception>
    public FleetWorld(FleetTopology fleet, int[][] view, Func<int, IWorldRouter> makeRouter, TimeSpan timeout, IRunObserver observer)
    {
        fleet.Validate();
        _fleet = fleet;
        _regionOf = [.. fleet.Endpoints.Select(e => e.Region)];
        _oneWayMs = [.. fleet.RoundTripMs.Select(row => row.Select(ms => ms / 2).ToArray())];
        _observer = observer;
        _timeoutMs = timeout == Timeout.InfiniteTimeSpan ? double.PositiveInfinity : timeout.TotalMilliseconds;
        _engines = new FleetEngines(fleet, _events, Clock);
        _scrapes = new FleetScrapes(_events, _engines, Clock);
        _hosts = [.. view.Select((v, r) => new FleetHost(this, r, v, makeRouter(r)))];
    }

    /// <summary>The world's clock.</summary>
    public VirtualClock Clock { get; } = new();

    /// <summary>Requests on their way.</summary>
    public int InFlight => _travellers.Count;

    /// <summary>Events so far.</summary>
    public long Events { get; private set; }

    /// <summary>Engines in the order of the topology.</summary>
    public ReadOnlySpan<VllmEngine> Engines => _engines.All;

    bool ISequenceSink.WantsEveryToken => false;

    /// <summary>Plays a trace until every request has ended.</summary>
    /// <param name="trace">Rows in order of time.</param>
    /// <param name="cancellationToken">Ends the run early with an exception.</param>
    /// <exception cref="InvalidOperationException">Requests are left that nothing will ever end: the router lost them.</exception>
    public void Run(IEnumerable<TraceRequest> trace, CancellationToken cancellationToken = default)
    {
        if (_arrivals is not null) throw new InvalidOperationException("A world is run once.");
        _arrivals = new FleetArrivals(_fleet, _events, trace);
        foreach (var host in _hosts) host.Router.Start(host);
        foreach (var host in _hosts) _scrapes.Add(host);
        _arrivals.ScheduleNext();
        while ((!_arrivals.HaveEnded || InFlight > 0) && _scrapes.TryTakeNext(out var next))
        {
            if ((++Events & 0xFFF) == 0) cancellationToken.ThrowIfCancellationRequested();
            Clock.MoveTo(next.TimeMs);
            // Scrapes and wakes go on for ever; a world where nothing else happens has lost its requests.
            if (next.Kind is not (EventKind.Scrape or EventKind.CrowdedScrape or EventKind.ScrapeAnswer or EventKind.Wake)) _lastProgressMs = next.TimeMs;
            else if (_arrivals.HaveEnded && next.TimeMs - _lastProgressMs > LongestStandstillMs) break;
            Handle(in next);
        }

        if (InFlight > 0) throw new InvalidOperationException($"{InFlight} requests were never answered or refused.");
    }

    // Who looks at an engine sees it as it is now.
    internal VllmEngine EngineAt(int endpoint) => _engines.Now(endpoint);

    internal double OneWayMs(int fromRegion, int toEndpoint) => _oneWayMs[fromRegion][_regionOf[toEndpoint]];

    internal void Schedule(double timeMs, EventKind kind, int first, int second) => _events.Add(timeMs, kind, first, second);

    internal void Send(WorldRequest request, int endpoint, int fleetNumber)
    {
        if (request.Stage != RequestStage.AtGateway) throw new InvalidOperationException($"Request {request.Number} is {request.Stage} and cannot be sent.");
        var traveller = _travellers.Of(request);
        request.Stage = RequestStage.Sent;
        request.Endpoint = endpoint;
        request.SentMs = Clock.NowMs;
        traveller.FleetEndpoint = fleetNumber;
        traveller.OneWayMs = OneWayMs(request.Region, fleetNumber);
        _events.Add(Clock.NowMs + traveller.OneWayMs, EventKind.Delivery, request.Slot, traveller.Version);
    }

    internal void Refuse(WorldRequest request)
    {
        if (request.Stage != RequestStage.AtGateway) throw new InvalidOperationException($"Request {request.Number} is {request.Stage} and cannot be refused.");
        _observer.OnRefused(request, Clock.NowMs);
        _travellers.Return(_travellers.Of(request));
    }

    void ISequenceSink.OnFirstToken(in SequenceProgress progress)
    {
        var traveller = _travellers.Of((WorldRequest)progress.Tag!);
        traveller.Request.CachedTokens = progress.CachedTokens;
        _events.Add(progress.TimeMs + traveller.OneWayMs, EventKind.FirstByte, traveller.Request.Slot, traveller.Version);
    }

    void ISequenceSink.OnToken(in SequenceProgress progress)
    {
    }

    void ISequenceSink.OnFinished(in SequenceProgress progress, FinishReason reason)
    {
        var traveller = _travellers.Of((WorldRequest)progress.Tag!);
        traveller.IsInEngine = false;
        _events.Add(progress.TimeMs + traveller.OneWayMs, EventKind.LastByte, traveller.Request.Slot, traveller.Version);
    }

    private void Handle(in WorldEvent next)
    {
        switch (next.Kind)
        {
            case EventKind.Arrival:
                Arrive();
                break;
            case EventKind.StepEnd:
                _engines.CompleteStep(next.First, next.Second, this);
                break;
            case EventKind.Scrape:
                _scrapes.Turn(next.First, next.Second);
                break;
            case EventKind.CrowdedScrape:
                _scrapes.ReadCrowded(next.First, next.Second);
                break;
            case EventKind.ScrapeAnswer:
                _scrapes.Answer(next.First, next.Second);
                break;
            case EventKind.Wake:
                _hosts[next.Second].Wake(next.First);
                break;
            default:
                // What belongs to a request that has been given up meanwhile comes too late.
                var traveller = _travellers[next.First];
                if (traveller.Version == next.Second) Handle(next.Kind, traveller);
                break;
        }
    }

    private void Handle(EventKind kind, Traveller traveller)
    {
        var request = traveller.Request;
        switch (kind)
        {
            case EventKind.Delivery:
                Deliver(traveller);
                break;
            case EventKind.FirstByte:
                request.Stage = RequestStage.Answering;
                request.FirstByteMs = Clock.NowMs;
                _hosts[request.Region].Router.OnFirstByte(request);
                break;
            case EventKind.LastByte:
                _hosts[request.Region].Router.OnEnd(request);
                _observer.OnServed(request, Clock.NowMs);
                _travellers.Return(traveller);
                break;
            case EventKind.Deadline:
                GiveUp(traveller, "request_timeout", isRefusedByEndpoint: false);
                break;
        }
    }

    private void Arrive()
    {
        var traveller = _travellers.Rent();
        var request = traveller.Request;
        _arrivals!.Begin(request, Clock.NowMs, _engines.BlockSize);
        _arrivals.ScheduleNext();
        if (double.IsFinite(_timeoutMs)) _events.Add(Clock.NowMs + _timeoutMs, EventKind.Deadline, request.Slot, traveller.Version);
        _hosts[request.Region].Router.OnArrival(request);
    }

    private void Deliver(Traveller traveller)
    {
        var request = traveller.Request;
        _scrapes.OnWork(request.Region, request.Endpoint);
        if (_engines.IsTooLong(request, traveller.FleetEndpoint))
        {
            GiveUp(traveller, "prompt_too_long", isRefusedByEndpoint: true);
            return;
        }

        traveller.Sequence = _engines.Add(request, traveller.FleetEndpoint);
        traveller.IsInEngine = true;
    }

    private void GiveUp(Traveller traveller, string reason, bool isRefusedByEndpoint)
    {
        var request = traveller.Request;
        if (traveller.IsInEngine) _engines.Abort(traveller.Sequence, traveller.FleetEndpoint);
        var router = _hosts[request.Region].Router;
        if (router is IAbandonable abandonable) abandonable.OnAbandoned(request, isRefusedByEndpoint);
        else router.OnEnd(request);
        request.RefusedFor = reason;
        _observer.OnRefused(request, Clock.NowMs);
        _travellers.Return(traveller);
    }
}
