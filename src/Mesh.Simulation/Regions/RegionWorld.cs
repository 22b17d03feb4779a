using Mesh.Core.Endpoints;
using Mesh.Core.Regions.Links;
using Mesh.Core.Regions.Reports;
using Mesh.Core.Routing;
using Mesh.Simulation.Model;
using Mesh.Simulation.Traces;
using Mesh.Simulation.World;

namespace Mesh.Simulation.Regions;

/// <summary>
/// Regions in virtual time: in each a gateway, the production core's pool and simulated engines; between them forwarded requests and reports on links that are
/// slow, jitter, lose, or are cut. The same options and trace give the same run, to the bit. Not thread-safe; a world is run once.
/// </summary>
internal sealed class RegionWorld : ISequenceSink
{
    private const double LocalLatencyMs = 0.5;
    private const double HeartbeatMs = 1000;
    private const double WatchMs = 100;
    private const double AnswersTryForMs = 5000;
    private const int UnreliableWatchesBeforeGivingUp = 10;
    private const int UnreliableWatchesBeforeBreaking = 50;
    private const double LongestStandstillMs = 600_000;

    private readonly RegionWorldOptions _options;
    private readonly IRegionGate _gate;
    private readonly PriorityQueue<RegionEvent, (double TimeMs, long Order)> _events = new();
    private readonly VllmEngine[] _engines;
    private readonly int[] _runVersions;
    private readonly RegionSite[] _sites;
    private readonly List<Serving> _servings = [];
    private readonly List<RegionRequest> _requests = [];
    private readonly Dictionary<RegionRequest, int> _unreliable = [];
    private readonly HashSet<Serving> _open = [];
    private readonly OmniscientRegions? _omniscient;
    private IEnumerator<(TraceRequest Row, int Home, int Priority)>? _trace;
    private long _order;
    private long _unended;
    private bool _traceEnded;
    private double _progressMs;

    /// <summary>Builds the regions.</summary>
    /// <param name="options">Sizes, links and policy.</param>
    /// <param name="gate">How gateways and pools behave; the production core when null.</param>
    /// <param name="isOmniscient">True to place every request by a scheduler that sees all engines of all regions without delay.</param>
    public RegionWorld(RegionWorldOptions options, IRegionGate? gate = null, bool isOmniscient = false)
    {
        _options = options;
        _gate = gate ?? new CoreGate();
        Links = new RegionLinks(options);
        Judge = new RegionJudge(options);
        _engines = new VllmEngine[options.Regions * options.EndpointsPerRegion];
        _runVersions = new int[_engines.Length];
        for (var i = 0; i < _engines.Length; i++) _engines[i] = new VllmEngine(options.Engine);
        _sites = new RegionSite[options.Regions];
        for (var i = 0; i < _sites.Length; i++) _sites[i] = new RegionSite(i, options, Clock, _gate);
        if (isOmniscient) _omniscient = new OmniscientRegions(options, _engines, LocalLatencyMs);
    }

    public VirtualClock Clock { get; } = new();

    public RegionLinks Links { get; }

    public RegionJudge Judge { get; }

    /// <summary>All requests, in the order in which they came.</summary>
    public IReadOnlyList<RegionRequest> Requests => _requests;

    public IReadOnlyList<RegionSite> Sites => _sites;

    public long Events { get; private set; }

    /// <summary>Answers of peers that refused.</summary>
    public long PeerRefusals { get; private set; }

    /// <summary>Requests forwarded, by home and peer.</summary>
    public Dictionary<(int Home, int To), long> Forwards { get; } = [];

    bool ISequenceSink.WantsEveryToken => false;

    /// <summary>Calls something at a time, as a fault or a measurement.</summary>
    public void At(double timeMs, Action action) => Add(timeMs, RegionEventKind.Fault, 0, 0, action);

    /// <summary>Plays requests until all have come to an end, or as long as it takes for the reports of a last second.</summary>
    /// <param name="trace">Rows in order of time, with the region whose gateway each comes to and its priority.</param>
    public void Run(IEnumerable<(TraceRequest Row, int Home, int Priority)> trace)
    {
        if (_trace is not null) throw new InvalidOperationException("A world is run once.");
        _trace = trace.GetEnumerator();
        foreach (var site in _sites) Begin(site);
        ScheduleNextArrival();
        while ((!_traceEnded || _unended > 0 || _open.Count > 0) && !Judge.HasSeenEnough)
        {
            if (!_events.TryDequeue(out var next, out var at)) break;
            Clock.MoveTo(Math.Max(Clock.NowMs, at.TimeMs));
            Events++;
            if (next.Kind is not (RegionEventKind.Scrape or RegionEventKind.Wake or RegionEventKind.ReportsDue or RegionEventKind.ReportArrives or RegionEventKind.Watch)) _progressMs = at.TimeMs;
            else if (_traceEnded && at.TimeMs - _progressMs > LongestStandstillMs) break;
            Handle(in next);
        }

        if (Judge.HasSeenEnough) return;
        foreach (var request in _requests)
        {
            if (request.End == RegionEnd.None) Judge.Break(Clock.NowMs, $"request {request.Number} of {request.Home} was never answered");
        }

        foreach (var site in _sites)
        {
            if (site.IsAlive && site.Pool.Snapshot().Leases is > 0 and var leases) Judge.Break(Clock.NowMs, $"{site.Name} has {leases} leases left");
        }
    }

    /// <summary>Kills a region's process: its clients' connections end, its engines stop working for it.</summary>
    public void Crash(int region)
    {
        var site = _sites[region];
        if (!site.IsAlive) return;
        site.Crash();
        foreach (var request in _requests)
        {
            if (request.End != RegionEnd.None) continue;
            if (request.Home == region) End(request, RegionEnd.LostWithGateway);
            else if (request.ForwardedTo == region) Answer(new PeerAnswer(request, request.Attempt, region, PeerAnswerKind.Failed) { LeftMs = Clock.NowMs });
        }

        foreach (var serving in _open.Where(s => s.Region == region).OrderBy(s => s.World.Slot).ToArray())
        {
            Abort(serving);
            Close(serving);
        }
    }

    /// <summary>Starts it again.</summary>
    public void Restart(int region)
    {
        if (_sites[region].IsAlive) return;
        _sites[region].Start();
        Begin(_sites[region]);
    }

    void ISequenceSink.OnFirstToken(in SequenceProgress progress)
    {
        var serving = _servings[((WorldRequest)progress.Tag!).Slot];
        serving.World.CachedTokens = progress.CachedTokens;
        Add(progress.TimeMs + LocalLatencyMs, RegionEventKind.FirstByte, 0, 0, serving);
    }

    void ISequenceSink.OnToken(in SequenceProgress progress)
    {
    }

    void ISequenceSink.OnFinished(in SequenceProgress progress, FinishReason reason)
    {
        var serving = _servings[((WorldRequest)progress.Tag!).Slot];
        serving.IsInEngine = false;
        Add(progress.TimeMs + LocalLatencyMs, RegionEventKind.LastByte, 0, 0, serving);
    }

    private void Add(double timeMs, RegionEventKind kind, int first, int second, object? subject) =>
        _events.Enqueue(new RegionEvent(kind, first, second, subject), (timeMs, _order++));

    private void Begin(RegionSite site)
    {
        if (_omniscient is not null) return;
        Add(Clock.NowMs, RegionEventKind.Wake, site.Number, site.WakeVersion, null);
        // Not all at one moment.
        if (_options.HasPeers) Add(Clock.NowMs + (_options.ReportIntervalMs * site.Number / _options.Regions), RegionEventKind.ReportsDue, site.Number, site.Run, null);
        if (_options.Scrapes && site.Run == 1) Add(Clock.NowMs, RegionEventKind.Scrape, site.Number, 0, null);
    }

    private void Handle(in RegionEvent next)
    {
        switch (next.Kind)
        {
            case RegionEventKind.Arrival:
                Arrive();
                break;
            case RegionEventKind.PeerArrival:
                ArriveAtPeer((RegionRequest)next.Subject!, next.First, next.Second);
                break;
            case RegionEventKind.Delivery:
                Deliver((Serving)next.Subject!);
                break;
            case RegionEventKind.StepEnd:
                if (next.Second != _runVersions[next.First]) break;
                _engines[next.First].CompleteStep(this);
                StartStep(next.First);
                break;
            case RegionEventKind.FirstByte:
                OnFirstByte((Serving)next.Subject!);
                break;
            case RegionEventKind.LastByte:
                OnLastByte((Serving)next.Subject!);
                break;
            case RegionEventKind.AnswerLeaves:
                Answer((PeerAnswer)next.Subject!);
                break;
            case RegionEventKind.AnswerArrives:
                OnAnswer((PeerAnswer)next.Subject!);
                break;
            case RegionEventKind.ReportsDue:
                if (!_sites[next.First].IsAlive || _sites[next.First].Run != next.Second) break;
                SendReports(_sites[next.First]);
                Add(Clock.NowMs + _options.ReportIntervalMs, RegionEventKind.ReportsDue, next.First, next.Second, null);
                break;
            case RegionEventKind.ReportArrives:
                OnReport(next.First, next.Second, (RegionReport)next.Subject!);
                break;
            case RegionEventKind.Wake:
                if (_sites[next.First].IsAlive && _sites[next.First].WakeVersion == next.Second) Wake(_sites[next.First]);
                break;
            case RegionEventKind.Scrape:
                Scrape(next.First, next.Second);
                break;
            case RegionEventKind.Watch:
                Watch((RegionRequest)next.Subject!, next.First);
                break;
            case RegionEventKind.Fault:
                ((Action)next.Subject!)();
                break;
        }
    }

    // :: At home

    private void Arrive()
    {
        var (row, home, priority) = _trace!.Current;
        var request = new RegionRequest
        {
            Number = _requests.Count,
            Home = home,
            ArrivedMs = Clock.NowMs,
            Priority = priority,
            Row = row with { Blocks = row.Blocks.ToArray() },
        };
        _requests.Add(request);
        _unended++;
        ScheduleNextArrival();
        if (!_sites[home].IsAlive) End(request, RegionEnd.LostWithGateway);
        else if (_omniscient is not null) PlaceOmniscient(request);
        else RouteAtHome(request);
    }

    private void ScheduleNextArrival()
    {
        if (_trace!.MoveNext()) Add(_trace.Current.Row.ArrivalMs, RegionEventKind.Arrival, 0, 0, null);
        else _traceEnded = true;
    }

    private void RouteAtHome(RegionRequest request)
    {
        var site = _sites[request.Home];
        request.Attempt++;
        var decision = _gate.Route(site.Pool, RequestOf(request, site) with
        {
            ExcludedRegions = request.Tried.Count == 0 ? default : [.. request.Tried.Order().Select(RegionWorldOptions.NameOf)],
        });
        if (decision.Kind == RouteKind.Wait)
        {
            request.Ticket = decision.Ticket;
            site.Waiting.Add(decision.Ticket, request);
        }
        else
        {
            ActAtHome(request, site, in decision);
        }

        After(site);
    }

    private void ActAtHome(RegionRequest request, RegionSite site, in RouteDecision decision)
    {
        switch (decision.Kind)
        {
            case RouteKind.Refuse:
                request.Reason = decision.Reason;
                End(request, RegionEnd.Refused);
                break;
            case RouteKind.Send:
                Send(Serve(request, site.Number, site.Run), in decision, site);
                break;
            case RouteKind.Forward:
                Forward(request, site, in decision);
                break;
            default:
                Judge.Break(Clock.NowMs, $"request {request.Number} was told to wait again");
                break;
        }
    }

    private void Forward(RegionRequest request, RegionSite site, in RouteDecision decision)
    {
        var region = decision.Region;
        var to = Array.FindIndex(_sites, s => s.Name == region);
        Judge.OnForward(Clock.NowMs, request, to, in decision);
        (request.ForwardedTo, request.Lease, request.HasLease, request.Reason) = (to, decision.Lease, true, decision.Reason);
        site.OpenLeases++;
        site.CountForwarded(to, 1);
        Forwards[(request.Home, to)] = Forwards.GetValueOrDefault((request.Home, to)) + 1;
        Add(Links.ArrivalMs(request.Home, to, Clock.NowMs), RegionEventKind.PeerArrival, request.Attempt, to, request);
        if (Judge.HasFaults) Add(Clock.NowMs + WatchMs, RegionEventKind.Watch, request.Attempt, 0, request);
    }

    private void OnAnswer(PeerAnswer answer)
    {
        var request = answer.Request;
        var site = _sites[request.Home];
        var isCurrent = answer.Attempt == request.Attempt && request.HasLease && request.End == RegionEnd.None;
        if (!site.IsAlive || (_omniscient is null && _gate.KnowsAttempts && !isCurrent)) return;
        switch (answer.Kind)
        {
            case PeerAnswerKind.FirstByte:
                if (double.IsNaN(request.FirstByteMs)) request.FirstByteMs = Clock.NowMs;
                request.CachedTokens = answer.CachedTokens;
                if (_omniscient is null) site.Pool.ReportFirstByte(request.Lease);
                break;
            case PeerAnswerKind.LastByte:
                request.ServedBy = answer.From;
                // A short answer's end can overtake its beginning.
                if (double.IsNaN(request.FirstByteMs)) request.FirstByteMs = Clock.NowMs;
                Release(request, site, OutcomeKind.Success);
                End(request, RegionEnd.Served);
                break;
            case PeerAnswerKind.Refused:
                PeerRefusals++;
                TryElsewhere(request, site, OutcomeKind.PeerRefused, _gate.ExcludesRefusals);
                break;
            case PeerAnswerKind.Failed:
                GiveUp(request, site, OutcomeKind.ConnectFailure);
                break;
        }

        if (_omniscient is null) After(site);
    }

    private void GiveUp(RegionRequest request, RegionSite site, OutcomeKind outcome)
    {
        if (double.IsNaN(request.FirstByteMs))
        {
            TryElsewhere(request, site, outcome, excludes: true);
            return;
        }

        // What has begun is not begun anew.
        Release(request, site, OutcomeKind.StreamBroken);
        End(request, RegionEnd.Broken);
    }

    private void TryElsewhere(RegionRequest request, RegionSite site, OutcomeKind outcome, bool excludes)
    {
        var from = request.ForwardedTo;
        Judge.OnNotTaken(request, from);
        Release(request, site, outcome);
        if (excludes) request.Exclude(from);
        RouteAtHome(request);
    }

    private void Release(RegionRequest request, RegionSite site, OutcomeKind outcome)
    {
        if (!request.HasLease) return;
        request.HasLease = false;
        site.OpenLeases--;
        site.CountForwarded(request.ForwardedTo, -1);
        _gate.Complete(site.Pool, request.Lease, new RequestOutcome(outcome));
        request.ForwardedTo = -1;
    }

    private void Watch(RegionRequest request, int attempt)
    {
        var site = _sites[request.Home];
        if (attempt != request.Attempt || !request.HasLease || request.End != RegionEnd.None || !site.IsAlive) return;
        var name = RegionWorldOptions.NameOf(request.ForwardedTo);
        var isFresh = site.Pool.Snapshot().Peers.Any(p => p.Region == name && p.State == PeerLinkState.Fresh);
        var watches = isFresh ? 0 : _unreliable.GetValueOrDefault(request) + 1;
        _unreliable[request] = watches;
        var begun = !double.IsNaN(request.FirstByteMs);
        if (watches >= (begun ? UnreliableWatchesBeforeBreaking : UnreliableWatchesBeforeGivingUp))
        {
            _unreliable.Remove(request);
            GiveUp(request, site, OutcomeKind.Timeout);
            After(site);
            return;
        }

        Add(Clock.NowMs + WatchMs, RegionEventKind.Watch, attempt, 0, request);
    }

    private void End(RegionRequest request, RegionEnd end)
    {
        Judge.OnEnd(Clock.NowMs, request, end);
        if (request.End == RegionEnd.None) _unended--;
        (request.End, request.EndedMs) = (end, Clock.NowMs);
    }

    // :: At the peer

    private void ArriveAtPeer(RegionRequest request, int attempt, int to)
    {
        if (attempt != request.Attempt || request.End != RegionEnd.None) return;
        if (Links.IsCut(request.Home, to))
        {
            // The connection sends it again, until home gives it up.
            Add(Clock.NowMs + WatchMs, RegionEventKind.PeerArrival, attempt, to, request);
            return;
        }

        var site = _sites[to];
        if (!site.IsAlive)
        {
            Answer(new PeerAnswer(request, attempt, to, PeerAnswerKind.Failed) { LeftMs = Clock.NowMs });
            return;
        }

        var home = _sites[request.Home];
        var serving = Serve(request, to, site.Run);
        var decision = _gate.Route(site.Pool, RequestOf(request, site) with
        {
            OriginRegion = home.Name,
            OriginEpoch = request.Lease.Epoch,
            OriginReason = request.Reason,
            Hops = 1,
        });
        Judge.OnForwardedDecided(Clock.NowMs, request, to, in decision);
        if (decision.Kind == RouteKind.Wait)
        {
            serving.Ticket = decision.Ticket;
            site.WaitingServings.Add(decision.Ticket, serving);
        }
        else
        {
            ActAtPeer(serving, site, in decision);
        }

        After(site);
    }

    private void ActAtPeer(Serving serving, RegionSite site, in RouteDecision decision)
    {
        if (decision.Kind == RouteKind.Send)
        {
            Send(serving, in decision, site);
            return;
        }

        Close(serving);
        Answer(new PeerAnswer(serving.Request, serving.Attempt, serving.Region, PeerAnswerKind.Refused) { LeftMs = Clock.NowMs });
    }

    private void Answer(PeerAnswer answer)
    {
        var home = answer.Request.Home;
        if (!Links.IsCut(answer.From, home)) Add(Links.ArrivalMs(answer.From, home, Clock.NowMs), RegionEventKind.AnswerArrives, 0, 0, answer);
        else if (Clock.NowMs - answer.LeftMs < AnswersTryForMs) Add(Clock.NowMs + WatchMs, RegionEventKind.AnswerLeaves, 0, 0, answer);
    }

    // :: Where it is served

    private Serving Serve(RegionRequest request, int region, int run)
    {
        var serving = new Serving(_servings.Count) { Request = request, Attempt = request.Attempt, Region = region, Run = run };
        var row = request.Row;
        serving.World.Begin(request.Number, region, request.ArrivedMs, in row, _options.Engine.BlockSize);
        _servings.Add(serving);
        _open.Add(serving);
        return serving;
    }

    private void Send(Serving serving, in RouteDecision decision, RegionSite site)
    {
        (serving.Lease, serving.HasLease) = (decision.Lease, true);
        site.OpenLeases++;
        var endpoint = 0;
        while (RegionWorldOptions.EndpointOf(site.Number, endpoint) != decision.Endpoint) endpoint++;
        serving.Endpoint = site.Number * _options.EndpointsPerRegion + endpoint;
        Add(Clock.NowMs + LocalLatencyMs, RegionEventKind.Delivery, 0, 0, serving);
    }

    private void Deliver(Serving serving)
    {
        if (serving.IsOver) return;
        var engine = _engines[serving.Endpoint];
        if (engine.CutRun(Clock.NowMs)) Add(engine.StepEndMs, RegionEventKind.StepEnd, serving.Endpoint, ++_runVersions[serving.Endpoint], null);
        serving.Sequence = engine.Add(
            new VllmRequest
            {
                PromptTokens = serving.World.PromptTokens,
                OutputTokens = serving.World.OutputTokens,
                EndsWith = FinishReason.Stop,
                BlockHashes = serving.World.EngineBlocks,
                Tag = serving.World,
            },
            Clock.NowMs);
        serving.IsInEngine = true;
        if (!engine.IsStepping) StartStep(serving.Endpoint);
    }

    private void StartStep(int endpoint)
    {
        var engine = _engines[endpoint];
        if (!engine.PlanRun(Clock.NowMs).IsIdle) Add(engine.StepEndMs, RegionEventKind.StepEnd, endpoint, ++_runVersions[endpoint], null);
    }

    private void OnFirstByte(Serving serving)
    {
        if (serving.IsOver) return;
        var request = serving.Request;
        var site = _sites[serving.Region];
        if (serving.HasLease)
        {
            site.Pool.ReportFirstByte(serving.Lease);
            After(site);
        }

        if (serving.IsForwarded)
        {
            Answer(new PeerAnswer(request, serving.Attempt, serving.Region, PeerAnswerKind.FirstByte) { CachedTokens = serving.World.CachedTokens, LeftMs = Clock.NowMs });
            return;
        }

        request.FirstByteMs = Clock.NowMs;
        request.CachedTokens = serving.World.CachedTokens;
    }

    private void OnLastByte(Serving serving)
    {
        if (serving.IsOver) return;
        var request = serving.Request;
        var site = _sites[serving.Region];
        Close(serving);
        if (serving.IsForwarded)
        {
            Answer(new PeerAnswer(request, serving.Attempt, serving.Region, PeerAnswerKind.LastByte) { LeftMs = Clock.NowMs });
        }
        else
        {
            request.ServedBy = serving.Region;
            End(request, RegionEnd.Served);
        }

        if (!serving.HasLease) return;
        serving.HasLease = false;
        site.OpenLeases--;
        _gate.Complete(site.Pool, serving.Lease, new RequestOutcome(OutcomeKind.Success, serving.World.PromptTokens, serving.World.CachedTokens, serving.World.OutputTokens));
        After(site);
    }

    private void Abort(Serving serving)
    {
        if (!serving.IsInEngine) return;
        serving.IsInEngine = false;
        var engine = _engines[serving.Endpoint];
        if (engine.CutRun(Clock.NowMs)) Add(engine.StepEndMs, RegionEventKind.StepEnd, serving.Endpoint, ++_runVersions[serving.Endpoint], null);
        engine.Abort(serving.Sequence);
    }

    private void Close(Serving serving)
    {
        serving.IsOver = true;
        _open.Remove(serving);
    }

    private void PlaceOmniscient(RegionRequest request)
    {
        var probe = new Serving(_servings.Count) { Request = request, Attempt = request.Attempt, Region = 0, Run = 0 };
        var row = request.Row;
        probe.World.Begin(request.Number, 0, request.ArrivedMs, in row, _options.Engine.BlockSize);
        var endpoint = _omniscient!.Pick(probe.World, request.Home, Clock.NowMs);
        var serving = Serve(request, endpoint / _options.EndpointsPerRegion, 0);
        serving.Endpoint = endpoint;
        var way = _options.RoundTripBetween(request.Home, serving.Region) / 2;
        (serving.World.Endpoint, serving.World.SentMs) = (endpoint, Clock.NowMs);
        _omniscient.OnSent(serving.World, endpoint, Clock.NowMs + way + LocalLatencyMs);
        if (serving.IsForwarded) Forwards[(request.Home, serving.Region)] = Forwards.GetValueOrDefault((request.Home, serving.Region)) + 1;
        Add(Clock.NowMs + way + LocalLatencyMs, RegionEventKind.Delivery, 0, 0, serving);
    }

    // :: Reports and time

    private void SendReports(RegionSite site)
    {
        if (site.IsSilent) return;
        site.ReportedMs = Clock.NowMs;
        var made = new List<PoolReport>(_sites.Length);
        for (var to = 0; to < _sites.Length; to++)
        {
            if (to == site.Number) continue;
            var report = site.ReportTo(to);
            made.Add(report.Pools[0]);
            if (!Links.IsCut(site.Number, to)) Add(Links.ReportArrivalMs(site.Number, to, Clock.NowMs), RegionEventKind.ReportArrives, site.Number, to, report);
        }

        if (_options.IsJudged) Judge.OnGranted(Clock.NowMs, site.Number, made);
    }

    private void OnReport(int from, int to, RegionReport report)
    {
        var site = _sites[to];
        if (!site.IsAlive || Links.IsCut(from, to)) return;
        Judge.OnReport(from, to, report.Pools[0]);
        site.Hear(from, report);
        After(site);
    }

    private void Wake(RegionSite site)
    {
        site.WakeMs = double.PositiveInfinity;
        site.Pool.Heartbeat(site.Session);
        var next = site.Pool.Tick();
        var inMs = next is { } time ? Math.Clamp(time.TotalMilliseconds, 1, HeartbeatMs) : HeartbeatMs;
        WakeAt(site, Clock.NowMs + inMs);
        After(site);
    }

    private void WakeAt(RegionSite site, double timeMs)
    {
        if (timeMs >= site.WakeMs) return;
        site.WakeMs = timeMs;
        Add(timeMs, RegionEventKind.Wake, site.Number, ++site.WakeVersion, null);
    }

    // What every call of a host is followed by.
    private void After(RegionSite site)
    {
        while (site.Pool.TryTakeDecided(out var ticket, out var decision))
        {
            if (site.Waiting.Remove(ticket, out var request)) ActAtHome(request, site, in decision);
            else if (site.WaitingServings.Remove(ticket, out var serving))
            {
                Judge.OnForwardedDecided(Clock.NowMs, serving.Request, site.Number, in decision);
                ActAtPeer(serving, site, in decision);
            }
        }

        if (site.Pool.WaitsForTime) WakeAt(site, Clock.NowMs + 1);
        if (_options.HasPeers && site.Pool.NeedsReportSooner) SendReports(site);
        if (_options.IsJudged) Judge.OnState(Clock.NowMs, site);
    }

    private void Scrape(int region, int endpoint)
    {
        var next = endpoint + 1 == _options.EndpointsPerRegion ? 0 : endpoint + 1;
        Add(Clock.NowMs + (200.0 / _options.EndpointsPerRegion), RegionEventKind.Scrape, region, next, null);
        var site = _sites[region];
        if (!site.IsAlive) return;
        var engine = _engines[region * _options.EndpointsPerRegion + endpoint];
        engine.CatchUp(Clock.NowMs);
        site.Pool.Apply(new EndpointSample
        {
            Endpoint = RegionWorldOptions.EndpointOf(region, endpoint),
            Timestamp = Clock.GetTimestamp(),
            KvUtilizationRatio = engine.KvUtilizationRatio,
            RunningRequests = engine.Running,
            WaitingRequests = engine.Waiting,
            KvCapacityTokens = (long)engine.Options.NumGpuBlocks * engine.Options.BlockSize,
        });
        After(site);
    }

    private static RouteRequest RequestOf(RegionRequest request, RegionSite site)
    {
        if (request.Chain.IsEmpty && request.Row.Blocks.Length > 0)
        {
            var blocks = request.Row.Blocks.Span;
            // A prompt's last block is hashed when it is full only.
            var chain = new ulong[Math.Min(blocks.Length, request.Row.PromptTokens / TraceRequest.BlockTokens)];
            for (var i = 0; i < chain.Length; i++) chain[i] = BlockHash.OfTraceBlock(blocks[i]);
            request.Chain = chain;
        }

        return new RouteRequest
        {
            RequestId = "",
            Pool = site.Pool.Id,
            Session = site.Session,
            FairnessId = "",
            Priority = request.Priority,
            PromptTokens = request.Row.PromptTokens,
            IsStreaming = true,
            PrefixChain = request.Chain,
        };
    }
}
