using Mesh.Core.Leases;
using Mesh.Core.Regions.Reports;
using Mesh.Core.Routing;
using Mesh.Simulation.Traces;
using Mesh.Simulation.World;

namespace Mesh.Simulation.Regions;

/// <summary>
/// Regions in virtual time: in each a gateway, the production core's pool and simulated engines; between them forwarded requests and reports on links that are
/// slow, jitter, lose, or are cut. The same options and trace give the same run, to the bit. Not thread-safe; a world is run once.
/// </summary>
internal sealed class RegionWorld
{
    private const double LongestStandstillMs = 600_000;

    private readonly RegionStage _stage;
    private readonly RegionReports _reports;
    private readonly RegionServices _services;
    private readonly RegionHomes _homes;
    private IEnumerator<(TraceRequest Row, int Home, int Priority)>? _trace;
    private bool _traceEnded;
    private double _progressMs;

    /// <summary>Builds the regions.</summary>
    /// <param name="options">Sizes, links and policy.</param>
    /// <param name="gate">How gateways and pools behave; the production core when null.</param>
    /// <param name="isOmniscient">True to place every request by a scheduler that sees all engines of all regions without delay.</param>
    public RegionWorld(RegionWorldOptions options, IRegionGate? gate = null, bool isOmniscient = false)
    {
        _stage = new RegionStage(options, gate ?? new CoreGate(), isOmniscient);
        _reports = new RegionReports(_stage) { OnDecided = ActOnLate };
        _services = new RegionServices(_stage, _reports);
        _homes = new RegionHomes(_stage, _services, _reports);
    }

    public VirtualClock Clock => _stage.Clock;

    public RegionLinks Links => _stage.Links;

    public RegionJudge Judge => _stage.Judge;

    /// <summary>All requests, in the order in which they came.</summary>
    public IReadOnlyList<RegionRequest> Requests => _stage.Ledger.Requests;

    public IReadOnlyList<RegionSite> Sites => _stage.Sites;

    public long Events { get; private set; }

    /// <summary>Answers of peers that refused.</summary>
    public long PeerRefusals => _stage.Ledger.PeerRefusals;

    /// <summary>Answers of peers that refused, by home and peer.</summary>
    public Dictionary<(int Home, int To), long> Refusals => _stage.Ledger.Refusals;

    /// <summary>Requests forwarded, by home and peer.</summary>
    public Dictionary<(int Home, int To), long> Forwards => _stage.Ledger.Forwards;

    /// <summary>Calls something at a time, as a fault or a measurement.</summary>
    public void At(double timeMs, Action action) => _stage.Add(timeMs, RegionEventKind.Fault, 0, 0, action);

    /// <summary>Plays requests until all have come to an end, or as long as it takes for the reports of a last second.</summary>
    /// <param name="trace">Rows in order of time, with the region whose gateway each comes to and its priority.</param>
    public void Run(IEnumerable<(TraceRequest Row, int Home, int Priority)> trace)
    {
        if (_trace is not null) throw new InvalidOperationException("A world is run once.");
        _trace = trace.GetEnumerator();
        foreach (var site in _stage.Sites) _reports.Begin(site);
        ScheduleNextArrival();
        while ((!_traceEnded || _stage.Ledger.Unended > 0 || _services.Open > 0) && !Judge.HasSeenEnough)
        {
            if (!_stage.TryMoveOn(out var next, out var timeMs)) break;
            Events++;
            if (next.Kind is not (RegionEventKind.Scrape or RegionEventKind.Wake or RegionEventKind.ReportsDue or RegionEventKind.ReportArrives or RegionEventKind.Watch)) _progressMs = timeMs;
            else if (_traceEnded && timeMs - _progressMs > LongestStandstillMs) break;
            Handle(in next);
        }

        if (!Judge.HasSeenEnough) JudgeTheEnd();
    }

    /// <summary>Kills a region's process: its clients' connections end, its engines stop working for it.</summary>
    public void Crash(int region)
    {
        var site = _stage.Sites[region];
        if (!site.IsAlive) return;
        site.Crash();
        foreach (var request in Requests)
        {
            if (request.End != RegionEnd.None) continue;
            if (request.Home == region) _stage.Ledger.End(request, RegionEnd.LostWithGateway);
            else if (request.ForwardedTo == region) _services.Answer(new PeerAnswer(request, request.Attempt, region, PeerAnswerKind.Failed) { LeftMs = Clock.NowMs });
        }

        _services.AbortAll(region);
    }

    /// <summary>Starts it again.</summary>
    public void Restart(int region)
    {
        if (_stage.Sites[region].IsAlive) return;
        _stage.Sites[region].Start();
        _reports.Begin(_stage.Sites[region]);
    }

    /// <summary>
    /// A region's pool loses its state while its gateway lives on: the gateway tells the new one what it holds, requests with peers and of peers included, and asks
    /// again for those that waited.
    /// </summary>
    public void RestartPool(int region)
    {
        var site = _stage.Sites[region];
        if (!site.IsAlive) return;
        var held = _services.Held(region);
        foreach (var request in Requests)
        {
            if (request.Home == region && request.HasLease && request.End == RegionEnd.None)
                held.Add(new HeldLease(request.Lease, default, request.Row.PromptTokens, request.Row.OutputTokens, !double.IsNaN(request.FirstByteMs)) { Region = RegionWorldOptions.NameOf(request.ForwardedTo) });
        }

        var waiting = site.Waiting.OrderBy(w => w.Key).Select(w => w.Value).ToArray();
        var waitingHere = site.WaitingServings.OrderBy(w => w.Key).Select(w => w.Value).ToArray();
        site.Waiting.Clear();
        site.WaitingServings.Clear();
        site.StartPool();
        var adopted = site.Pool.Announce(site.Session, held.ToArray());
        if (adopted != held.Count) Judge.Break(Clock.NowMs, $"{site.Name} took over {adopted} of {held.Count} leases");
        _reports.Wake(site);
        foreach (var request in waiting) _homes.RouteAtHome(request);
        foreach (var serving in waitingHere) _services.RouteAgain(serving, site);
        _reports.After(site);
    }

    private void JudgeTheEnd()
    {
        foreach (var request in Requests)
        {
            if (request.End == RegionEnd.None) Judge.Break(Clock.NowMs, $"request {request.Number} of {request.Home} was never answered");
        }

        foreach (var site in _stage.Sites)
        {
            if (site.IsAlive && site.Pool.Snapshot().Leases is > 0 and var leases) Judge.Break(Clock.NowMs, $"{site.Name} has {leases} leases left");
        }
    }

    private void Handle(in RegionEvent next)
    {
        switch (next.Kind)
        {
            case RegionEventKind.Arrival:
                Arrive();
                break;
            case RegionEventKind.PeerArrival:
                _services.ArriveAtPeer((RegionRequest)next.Subject!, next.First, next.Second);
                break;
            case RegionEventKind.Delivery:
                _services.Deliver((Serving)next.Subject!);
                break;
            case RegionEventKind.StepEnd:
                _services.OnStepEnd(next.First, next.Second);
                break;
            case RegionEventKind.FirstByte:
                _services.OnFirstByte((Serving)next.Subject!);
                break;
            case RegionEventKind.LastByte:
                _services.OnLastByte((Serving)next.Subject!);
                break;
            case RegionEventKind.AnswerLeaves:
                _services.Answer((PeerAnswer)next.Subject!);
                break;
            case RegionEventKind.AnswerArrives:
                _homes.OnAnswer((PeerAnswer)next.Subject!);
                break;
            case RegionEventKind.ReportsDue:
                _reports.OnDue(next.First, next.Second);
                break;
            case RegionEventKind.ReportArrives:
                _reports.OnReport(next.First, next.Second, (RegionReport)next.Subject!);
                break;
            case RegionEventKind.Wake:
                _reports.OnWake(next.First, next.Second);
                break;
            case RegionEventKind.Scrape:
                _reports.Scrape(next.First, next.Second);
                break;
            case RegionEventKind.Watch:
                _homes.Watch((RegionRequest)next.Subject!, next.First);
                break;
            case RegionEventKind.Fault:
                ((Action)next.Subject!)();
                break;
        }
    }

    private void Arrive()
    {
        var (row, home, priority) = _trace!.Current;
        var request = _stage.Ledger.Open(in row, home, priority);
        ScheduleNextArrival();
        _homes.Arrive(request);
    }

    private void ScheduleNextArrival()
    {
        if (_trace!.MoveNext()) _stage.Add(_trace.Current.Row.ArrivalMs, RegionEventKind.Arrival, 0, 0, null);
        else _traceEnded = true;
    }

    // A request that waited is one of the region's own, or a peer's.
    private void ActOnLate(RegionSite site, long ticket, in RouteDecision decision)
    {
        if (site.Waiting.Remove(ticket, out var request)) _homes.ActAtHome(request, site, in decision);
        else if (site.WaitingServings.Remove(ticket, out var serving))
        {
            Judge.OnForwardedDecided(Clock.NowMs, serving.Request, site.Number, in decision);
            _services.ActAtPeer(serving, site, in decision);
        }
    }
}
