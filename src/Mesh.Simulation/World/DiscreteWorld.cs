using Mesh.Simulation.Baselines;
using Mesh.Simulation.Model;
using Mesh.Simulation.Traces;

namespace Mesh.Simulation.World;

/// <summary>
/// A discrete-event world: a trace arrives at the gateways of its regions, whose routers place it on simulated engines, in virtual time.
/// The same trace, options and routers give the same run, to the bit. Not thread-safe; a world is run once.
/// </summary>
internal sealed class DiscreteWorld : ISequenceSink
{
    private const double LongestStandstillMs = 3_600_000;
    private const int MostRestingTurns = 10;

    private readonly WorldOptions _options;
    private readonly EventQueue _events = new();
    // Readings of gauges come at fixed times, one after another: one event per region stands for all of them, apart from the rest.
    private readonly EventQueue _scrapes = new();
    private readonly VllmEngine[] _engines;
    private readonly int[] _runVersions;
    // An engine that has nothing to do is read more and more seldom, as the production scraper does it, until it gets a request.
    private readonly Pace[] _paces;
    private readonly WorldRegion[] _regions;
    private readonly List<WorldRequest> _requests = [];
    private readonly Stack<int> _unused = new();
    private readonly IRunObserver _observer;
    private IEnumerator<TraceRequest>? _trace;
    private long _arrived;
    private double _lastProgressMs;
    private bool _traceEnded;

    /// <summary>Builds the fleet.</summary>
    /// <param name="options">Sizes and seed.</param>
    /// <param name="makeRouter">Makes a region's router; is given the region's number.</param>
    /// <param name="observer">Is told every end.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range.</exception>
    public DiscreteWorld(WorldOptions options, Func<int, IWorldRouter> makeRouter, IRunObserver observer)
    {
        options.Validate();
        _options = options;
        _observer = observer;
        _engines = new VllmEngine[options.Regions * options.EndpointsPerRegion];
        _runVersions = new int[_engines.Length];
        _paces = new Pace[_engines.Length];
        Array.Fill(_paces, Pace.Usual);
        for (var i = 0; i < _engines.Length; i++) _engines[i] = new VllmEngine(options.EngineOf(i % options.EndpointsPerRegion));
        _regions = new WorldRegion[options.Regions];
        for (var i = 0; i < _regions.Length; i++)
            _regions[i] = new WorldRegion(this, i, i * options.EndpointsPerRegion, options.EndpointsPerRegion, makeRouter(i));
    }

    /// <summary>The world's clock.</summary>
    public VirtualClock Clock { get; } = new();

    /// <summary>Requests on their way.</summary>
    public int InFlight => _requests.Count - _unused.Count;

    /// <summary>Events so far.</summary>
    public long Events { get; private set; }

    /// <summary>Engines of all regions, region by region.</summary>
    public ReadOnlySpan<VllmEngine> Engines => _engines;

    internal double LatencyMs => _options.LatencyMs;

    bool ISequenceSink.WantsEveryToken => false;

    /// <summary>Plays a trace until every request has ended.</summary>
    /// <param name="trace">Rows in order of time.</param>
    /// <param name="cancellationToken">Ends the run early with an exception.</param>
    /// <exception cref="InvalidOperationException">Requests are left that nothing will ever end: the router lost them.</exception>
    public void Run(IEnumerable<TraceRequest> trace, CancellationToken cancellationToken = default)
    {
        if (_trace is not null) throw new InvalidOperationException("A world is run once.");
        _trace = trace.GetEnumerator();
        foreach (var region in _regions) region.Router.Start(region);
        ScheduleFirstScrapes();
        ScheduleNextArrival();
        while ((!_traceEnded || InFlight > 0) && TryTakeNext(out var next))
        {
            if ((++Events & 0xFFFF) == 0) cancellationToken.ThrowIfCancellationRequested();
            Clock.MoveTo(next.TimeMs);
            // Scrapes and wakes go on for ever; a world where nothing else happens has lost its requests.
            if (next.Kind is not (EventKind.Scrape or EventKind.Wake)) _lastProgressMs = next.TimeMs;
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

    internal void Send(WorldRequest request, int endpoint, int globalEndpoint)
    {
        if (request.Stage != RequestStage.AtGateway) throw new InvalidOperationException($"Request {request.Number} is {request.Stage} and cannot be sent.");
        request.Stage = RequestStage.Sent;
        request.Endpoint = endpoint;
        request.SentMs = Clock.NowMs;
        _events.Add(Clock.NowMs + _options.LatencyMs, EventKind.Delivery, request.Slot, globalEndpoint);
    }

    internal void Refuse(WorldRequest request)
    {
        if (request.Stage != RequestStage.AtGateway) throw new InvalidOperationException($"Request {request.Number} is {request.Stage} and cannot be refused.");
        _observer.OnRefused(request, Clock.NowMs);
        Return(request);
    }

    void ISequenceSink.OnFirstToken(in SequenceProgress progress)
    {
        var request = (WorldRequest)progress.Tag!;
        request.CachedTokens = progress.CachedTokens;
        _events.Add(progress.TimeMs + _options.LatencyMs, EventKind.FirstByte, request.Slot, 0);
    }

    void ISequenceSink.OnToken(in SequenceProgress progress)
    {
    }

    void ISequenceSink.OnFinished(in SequenceProgress progress, FinishReason reason) =>
        _events.Add(progress.TimeMs + _options.LatencyMs, EventKind.LastByte, ((WorldRequest)progress.Tag!).Slot, 0);

    private bool TryTakeNext(out WorldEvent next)
    {
        if (_scrapes.Count == 0 || (_events.Count > 0 && _events.Earliest.TimeMs <= _scrapes.Earliest.TimeMs)) return _events.TryTake(out next);
        next = _scrapes.Earliest;
        return true;
    }

    private void Handle(in WorldEvent next)
    {
        switch (next.Kind)
        {
            case EventKind.Arrival:
                Arrive();
                break;
            case EventKind.Delivery:
                Deliver(_requests[next.First], next.Second);
                break;
            case EventKind.StepEnd:
                // The end of a run that was cut meanwhile.
                if (next.First != _runVersions[next.Second]) break;
                _engines[next.Second].CompleteStep(this);
                StartStep(next.Second);
                break;
            case EventKind.FirstByte:
                var answering = _requests[next.First];
                answering.Stage = RequestStage.Answering;
                answering.FirstByteMs = Clock.NowMs;
                _regions[answering.Region].Router.OnFirstByte(answering);
                break;
            case EventKind.LastByte:
                var ended = _requests[next.First];
                _regions[ended.Region].Router.OnEnd(ended);
                _observer.OnServed(ended, Clock.NowMs);
                Return(ended);
                break;
            case EventKind.Scrape:
                Scrape(next.TimeMs, next.First, next.Second);
                break;
            case EventKind.Wake:
                _regions[next.Second].Wake(next.First);
                break;
        }
    }

    private void Arrive()
    {
        var row = _trace!.Current;
        var region = _regions.Length == 1 ? 0 : (int)(BlockHash.Mix(row.Session) % (ulong)_regions.Length);
        var request = Rent();
        request.Begin(_arrived++, region, Clock.NowMs, in row, _options.Engine.BlockSize);
        ScheduleNextArrival();
        _regions[region].Router.OnArrival(request);
    }

    private void ScheduleNextArrival()
    {
        if (_trace!.MoveNext()) _events.Add(_trace.Current.ArrivalMs, EventKind.Arrival, 0, 0);
        else _traceEnded = true;
    }

    private void Deliver(WorldRequest request, int endpoint)
    {
        var engine = _engines[endpoint];
        _paces[endpoint] = Pace.Usual;
        if (engine.CutRun(Clock.NowMs)) _events.Add(engine.StepEndMs, EventKind.StepEnd, ++_runVersions[endpoint], endpoint);
        engine.Add(
            new VllmRequest
            {
                PromptTokens = request.PromptTokens,
                OutputTokens = request.OutputTokens,
                EndsWith = FinishReason.Stop,
                BlockHashes = request.EngineBlocks,
                Tag = request,
            },
            Clock.NowMs);
        if (!engine.IsStepping) StartStep(endpoint);
    }

    private void StartStep(int endpoint)
    {
        var engine = _engines[endpoint];
        if (!engine.PlanRun(Clock.NowMs).IsIdle) _events.Add(engine.StepEndMs, EventKind.StepEnd, ++_runVersions[endpoint], endpoint);
    }

    private void ScheduleFirstScrapes()
    {
        for (var r = 0; r < _regions.Length; r++)
        {
            if (_regions[r].Router.ScrapeIntervalMs > 0) _scrapes.Add(0, EventKind.Scrape, r, 0);
        }
    }

    // Spread over the interval, as pollers do that do not want to ask everybody at once.
    private void Scrape(double nowMs, int regionNumber, int endpoint)
    {
        var region = _regions[regionNumber];
        _scrapes.ReplaceEarliest(nowMs + (region.Router.ScrapeIntervalMs / region.Endpoints), EventKind.Scrape, regionNumber, endpoint + 1 == region.Endpoints ? 0 : endpoint + 1);
        var number = region.FirstEndpoint + endpoint;
        ref var pace = ref _paces[number];
        if (pace.LeaveOut > 0)
        {
            pace.LeaveOut--;
            return;
        }

        var engine = EngineAt(number);
        pace.Turns = engine.Running == 0 && engine.Waiting == 0 ? (byte)Math.Min(pace.Turns * 2, MostRestingTurns) : (byte)1;
        pace.LeaveOut = (byte)(pace.Turns - 1);
        region.Router.OnScrape(endpoint, new EngineGauges(engine.Running, engine.Waiting, engine.KvUtilizationRatio));
    }

    private WorldRequest Rent()
    {
        if (_unused.TryPop(out var slot)) return _requests[slot];
        var request = new WorldRequest(_requests.Count);
        _requests.Add(request);
        return request;
    }

    private void Return(WorldRequest request)
    {
        request.Stage = RequestStage.None;
        _unused.Push(request.Slot);
    }

    /// <param name="Turns">One reading in so many turns.</param>
    /// <param name="LeaveOut">Turns to leave out before the next.</param>
    private record struct Pace(byte Turns, byte LeaveOut)
    {
        public static Pace Usual => new(1, 0);
    }
}
