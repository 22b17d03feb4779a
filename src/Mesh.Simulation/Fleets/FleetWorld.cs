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

    // Below this, the way back of a scrape is left out: it would double the number of events for nothing.
    private const double NearMs = 2;

    private readonly FleetTopology _fleet;
    private readonly EventQueue _events = new();
    private readonly VllmEngine[] _engines;
    private readonly int[] _runVersions;
    private readonly FleetHost[] _hosts;
    private readonly EngineGauges[][] _gauges;
    private readonly int[][] _view;
    private readonly double[] _shares;
    private readonly double _timeoutMs;
    private readonly List<Traveller> _travellers = [];
    private readonly Stack<int> _unused = new();
    private readonly IRunObserver _observer;
    private readonly int _blockSize;
    private IEnumerator<TraceRequest>? _trace;
    private long _arrived;
    private double _lastProgressMs;
    private bool _traceEnded;

    /// <summary>Builds the fleet.</summary>
    /// <param name="fleet">Regions, endpoints and clients.</param>
    /// <param name="view">Endpoints that each region's router sees: <see cref="FleetView"/>.</param>
    /// <param name="makeRouter">Makes a region's router; is given the region's number.</param>
    /// <param name="timeout">Longest time of one request, waiting included; the gateway gives it up then.</param>
    /// <param name="observer">Is told every end.</param>
    /// <exception cref="ArgumentException">The fleet is out of its ranges.</exception>
    public FleetWorld(FleetTopology fleet, int[][] view, Func<int, IWorldRouter> makeRouter, TimeSpan timeout, IRunObserver observer)
    {
        fleet.Validate();
        _fleet = fleet;
        _view = view;
        _observer = observer;
        _timeoutMs = timeout.TotalMilliseconds;
        _engines = [.. fleet.Endpoints.Select(e => new VllmEngine(e.Engine))];
        _blockSize = fleet.Endpoints[0].Engine.BlockSize;
        _runVersions = new int[_engines.Length];
        _hosts = [.. fleet.Regions.Select((_, r) => new FleetHost(this, r, view[r], OneWayMs(r, fleet.Endpoints[view[r][0]].Region), makeRouter(r)))];
        _gauges = [.. view.Select(v => new EngineGauges[v.Length])];
        _shares = new double[fleet.Clients.Count];
        var sum = 0.0;
        for (var i = 0; i < _shares.Length; i++) _shares[i] = sum += fleet.Clients[i].Share;
    }

    /// <summary>The world's clock.</summary>
    public VirtualClock Clock { get; } = new();

    /// <summary>Requests on their way.</summary>
    public int InFlight => _travellers.Count - _unused.Count;

    /// <summary>Events so far.</summary>
    public long Events { get; private set; }

    /// <summary>Engines in the order of the topology.</summary>
    public ReadOnlySpan<VllmEngine> Engines => _engines;

    bool ISequenceSink.WantsEveryToken => false;

    /// <summary>Plays a trace until every request has ended.</summary>
    /// <param name="trace">Rows in order of time.</param>
    /// <param name="cancellationToken">Ends the run early with an exception.</param>
    /// <exception cref="InvalidOperationException">Requests are left that nothing will ever end: the router lost them.</exception>
    public void Run(IEnumerable<TraceRequest> trace, CancellationToken cancellationToken = default)
    {
        if (_trace is not null) throw new InvalidOperationException("A world is run once.");
        _trace = trace.GetEnumerator();
        foreach (var host in _hosts) host.Router.Start(host);
        ScheduleFirstScrapes();
        ScheduleNextArrival();
        while ((!_traceEnded || InFlight > 0) && _events.TryTake(out var next))
        {
            if ((++Events & 0xFFF) == 0) cancellationToken.ThrowIfCancellationRequested();
            Clock.MoveTo(next.TimeMs);
            // Scrapes and wakes go on for ever; a world where nothing else happens has lost its requests.
            if (next.Kind is not (EventKind.Scrape or EventKind.ScrapeAnswer or EventKind.Wake)) _lastProgressMs = next.TimeMs;
            else if (_traceEnded && next.TimeMs - _lastProgressMs > LongestStandstillMs) break;
            Handle(in next);
        }

        if (InFlight > 0) throw new InvalidOperationException($"{InFlight} requests were never answered or refused.");
    }

    // Who looks at an engine sees it as it is now.
    internal VllmEngine EngineAt(int endpoint)
    {
        var engine = _engines[endpoint];
        engine.CatchUp(Clock.NowMs);
        return engine;
    }

    internal void Schedule(double timeMs, EventKind kind, int first, int second) => _events.Add(timeMs, kind, first, second);

    internal void Send(WorldRequest request, int endpoint, int fleetNumber)
    {
        if (request.Stage != RequestStage.AtGateway) throw new InvalidOperationException($"Request {request.Number} is {request.Stage} and cannot be sent.");
        var traveller = _travellers[request.Slot];
        request.Stage = RequestStage.Sent;
        request.Endpoint = endpoint;
        request.SentMs = Clock.NowMs;
        traveller.FleetEndpoint = fleetNumber;
        traveller.OneWayMs = OneWayMs(request.Region, _fleet.Endpoints[fleetNumber].Region);
        _events.Add(Clock.NowMs + traveller.OneWayMs, EventKind.Delivery, request.Slot, traveller.Version);
    }

    internal void Refuse(WorldRequest request)
    {
        if (request.Stage != RequestStage.AtGateway) throw new InvalidOperationException($"Request {request.Number} is {request.Stage} and cannot be refused.");
        _observer.OnRefused(request, Clock.NowMs);
        Return(_travellers[request.Slot]);
    }

    void ISequenceSink.OnFirstToken(in SequenceProgress progress)
    {
        var traveller = _travellers[((WorldRequest)progress.Tag!).Slot];
        traveller.Request.CachedTokens = progress.CachedTokens;
        _events.Add(progress.TimeMs + traveller.OneWayMs, EventKind.FirstByte, traveller.Request.Slot, traveller.Version);
    }

    void ISequenceSink.OnToken(in SequenceProgress progress)
    {
    }

    void ISequenceSink.OnFinished(in SequenceProgress progress, FinishReason reason)
    {
        var traveller = _travellers[((WorldRequest)progress.Tag!).Slot];
        traveller.IsInEngine = false;
        _events.Add(progress.TimeMs + traveller.OneWayMs, EventKind.LastByte, traveller.Request.Slot, traveller.Version);
    }

    private double OneWayMs(int from, int to) => _fleet.RoundTripMs[from][to] / 2;

    private void Handle(in WorldEvent next)
    {
        switch (next.Kind)
        {
            case EventKind.Arrival:
                Arrive();
                return;
            case EventKind.StepEnd:
                // The end of a run that was cut meanwhile.
                if (next.First != _runVersions[next.Second]) return;
                _engines[next.Second].CompleteStep(this);
                StartStep(next.Second);
                return;
            case EventKind.Scrape:
                Scrape(next.First, next.Second);
                return;
            case EventKind.ScrapeAnswer:
                _hosts[next.First].Router.OnScrape(next.Second, _gauges[next.First][next.Second]);
                return;
            case EventKind.Wake:
                _hosts[next.Second].Wake(next.First);
                return;
        }

        // What belongs to a request that has been given up meanwhile comes too late.
        var traveller = _travellers[next.First];
        if (traveller.Version != next.Second) return;
        var request = traveller.Request;
        switch (next.Kind)
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
                Return(traveller);
                break;
            case EventKind.Deadline:
                GiveUp(traveller, "request_timeout", isRefusedByEndpoint: false);
                break;
        }
    }

    private void Arrive()
    {
        var row = _trace!.Current;
        var clients = ClientsOf(row.Session);
        var traveller = Rent();
        var request = traveller.Request;
        request.Begin(_arrived++, clients.Region, Clock.NowMs, in row, _blockSize);
        request.Priority = clients.Priority;
        ScheduleNextArrival();
        _events.Add(Clock.NowMs + _timeoutMs, EventKind.Deadline, request.Slot, traveller.Version);
        _hosts[clients.Region].Router.OnArrival(request);
    }

    // A session stays where it began; the upper 53 bits of its mixed hash are a number from 0 to 1.
    private ClientGroup ClientsOf(ulong session)
    {
        if (_shares.Length == 1) return _fleet.Clients[0];
        var at = (BlockHash.Mix(session) >> 11) * (1.0 / (1UL << 53)) * _shares[^1];
        var i = 0;
        while (i < _shares.Length - 1 && at >= _shares[i]) i++;
        return _fleet.Clients[i];
    }

    private void ScheduleNextArrival()
    {
        if (_trace!.MoveNext()) _events.Add(_trace.Current.ArrivalMs, EventKind.Arrival, 0, 0);
        else _traceEnded = true;
    }

    private void Deliver(Traveller traveller)
    {
        var request = traveller.Request;
        var endpoint = traveller.FleetEndpoint;
        var engine = _engines[endpoint];
        if (request.PromptTokens >= engine.Options.MaxModelLen)
        {
            GiveUp(traveller, "prompt_too_long", isRefusedByEndpoint: true);
            return;
        }

        CutRun(endpoint);
        traveller.Sequence = engine.Add(
            new VllmRequest
            {
                PromptTokens = request.PromptTokens,
                OutputTokens = request.OutputTokens,
                EndsWith = FinishReason.Stop,
                BlockHashes = request.EngineBlocks,
                Tag = request,
            },
            Clock.NowMs);
        traveller.IsInEngine = true;
        if (!engine.IsStepping) StartStep(endpoint);
    }

    private void GiveUp(Traveller traveller, string reason, bool isRefusedByEndpoint)
    {
        var request = traveller.Request;
        if (traveller.IsInEngine)
        {
            CutRun(traveller.FleetEndpoint);
            _engines[traveller.FleetEndpoint].Abort(traveller.Sequence);
        }

        var router = _hosts[request.Region].Router;
        if (router is IAbandonable abandonable) abandonable.OnAbandoned(request, isRefusedByEndpoint);
        else router.OnEnd(request);
        request.RefusedFor = reason;
        _observer.OnRefused(request, Clock.NowMs);
        Return(traveller);
    }

    private void CutRun(int endpoint)
    {
        var engine = _engines[endpoint];
        if (engine.CutRun(Clock.NowMs)) _events.Add(engine.StepEndMs, EventKind.StepEnd, ++_runVersions[endpoint], endpoint);
    }

    private void StartStep(int endpoint)
    {
        var engine = _engines[endpoint];
        if (!engine.PlanRun(Clock.NowMs).IsIdle) _events.Add(engine.StepEndMs, EventKind.StepEnd, ++_runVersions[endpoint], endpoint);
    }

    private void ScheduleFirstScrapes()
    {
        for (var r = 0; r < _hosts.Length; r++)
        {
            var interval = _hosts[r].Router.ScrapeIntervalMs;
            if (interval <= 0) continue;
            // Spread over the interval, as pollers do that do not want to ask everybody at once.
            for (var i = 0; i < _hosts[r].Endpoints; i++) _events.Add(interval * i / _hosts[r].Endpoints, EventKind.Scrape, r, i);
        }
    }

    private void Scrape(int region, int endpoint)
    {
        var router = _hosts[region].Router;
        var number = _view[region][endpoint];
        var engine = EngineAt(number);
        var oneWayMs = OneWayMs(region, _fleet.Endpoints[number].Region);
        _gauges[region][endpoint] = new EngineGauges(engine.Running, engine.Waiting, engine.KvUtilizationRatio);
        _events.Add(Clock.NowMs + Math.Max(router.ScrapeIntervalMs, oneWayMs), EventKind.Scrape, region, endpoint);
        if (oneWayMs < NearMs) router.OnScrape(endpoint, in _gauges[region][endpoint]);
        else _events.Add(Clock.NowMs + oneWayMs, EventKind.ScrapeAnswer, region, endpoint);
    }

    private Traveller Rent()
    {
        if (_unused.TryPop(out var slot)) return _travellers[slot];
        var traveller = new Traveller(new WorldRequest(_travellers.Count));
        _travellers.Add(traveller);
        return traveller;
    }

    private void Return(Traveller traveller)
    {
        traveller.Request.Stage = RequestStage.None;
        traveller.IsInEngine = false;
        // Whatever is still on its way to or from it is void.
        traveller.Version++;
        _unused.Push(traveller.Request.Slot);
    }

    private sealed class Traveller(WorldRequest request)
    {
        public WorldRequest Request => request;

        public int Version { get; set; }

        public int FleetEndpoint { get; set; }

        public double OneWayMs { get; set; }

        public SequenceHandle Sequence { get; set; }

        public bool IsInEngine { get; set; }
    }
}
