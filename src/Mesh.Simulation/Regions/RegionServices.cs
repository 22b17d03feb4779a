using Mesh.Core.Leases;
using Mesh.Core.Routing;
using Mesh.Simulation.Model;
using Mesh.Simulation.World;

namespace Mesh.Simulation.Regions;

/// <summary>
/// What the region does that serves a request, its own or a peer's: it takes what peers send, has its engines serve what its pool placed, and answers home.
/// </summary>
internal sealed class RegionServices(RegionStage stage, RegionReports reports) : ISequenceSink
{
    private const double AnswersTryForMs = 5000;
    private readonly int[] _runVersions = new int[stage.Engines.Length];
    private readonly List<Serving> _servings = [];
    private readonly HashSet<Serving> _open = [];
    private readonly OmniscientRegions? _omniscient = stage.IsOmniscient ? new OmniscientRegions(stage.Options, stage.Engines, RegionStage.LocalLatencyMs) : null;

    /// <summary>Placements that have not come to an end.</summary>
    public int Open => _open.Count;

    bool ISequenceSink.WantsEveryToken => false;

    void ISequenceSink.OnFirstToken(in SequenceProgress progress)
    {
        var serving = _servings[((WorldRequest)progress.Tag!).Slot];
        serving.World.CachedTokens = progress.CachedTokens;
        stage.Add(progress.TimeMs + RegionStage.LocalLatencyMs, RegionEventKind.FirstByte, 0, 0, serving);
    }

    void ISequenceSink.OnToken(in SequenceProgress progress)
    {
    }

    void ISequenceSink.OnFinished(in SequenceProgress progress, FinishReason reason)
    {
        var serving = _servings[((WorldRequest)progress.Tag!).Slot];
        serving.IsInEngine = false;
        stage.Add(progress.TimeMs + RegionStage.LocalLatencyMs, RegionEventKind.LastByte, 0, 0, serving);
    }

    /// <summary>A forwarded request gets to the peer's gateway, or tries to.</summary>
    public void ArriveAtPeer(RegionRequest request, int attempt, int to)
    {
        if (attempt != request.Attempt || request.End != RegionEnd.None) return;
        if (stage.Links.IsCut(request.Home, to))
        {
            // The connection sends it again, until home gives it up.
            stage.Add(stage.NowMs + RegionStage.WatchMs, RegionEventKind.PeerArrival, attempt, to, request);
            return;
        }

        var site = stage.Sites[to];
        if (!site.IsAlive)
        {
            Answer(new PeerAnswer(request, attempt, to, PeerAnswerKind.Failed) { LeftMs = stage.NowMs });
            return;
        }

        RouteAgain(Serve(request, to, site.Run), site);
        reports.After(site);
    }

    /// <summary>Requests of other regions and of its own that a region's endpoints work on, as its gateway tells of them.</summary>
    public List<HeldLease> Held(int region)
    {
        var held = new List<HeldLease>();
        foreach (var serving in _open.Where(s => s.Region == region && s.HasLease).OrderBy(s => s.World.Slot))
        {
            held.Add(new HeldLease(
                serving.Lease, RegionWorldOptions.EndpointOf(region, serving.Endpoint % stage.Options.EndpointsPerRegion), serving.World.PromptTokens, serving.World.OutputTokens, serving.HasBegun)
            {
                OriginRegion = serving.IsForwarded ? RegionWorldOptions.NameOf(serving.Request.Home) : null,
            });
        }

        return held;
    }

    /// <summary>Asks the peer's pool for a place for what came from elsewhere.</summary>
    public void RouteAgain(Serving serving, RegionSite site)
    {
        var request = serving.Request;
        var decision = stage.Gate.Route(site.Pool, site.AsRouted(request) with
        {
            OriginRegion = stage.Sites[request.Home].Name,
            OriginEpoch = request.Lease.Epoch,
            OriginReason = request.Reason,
            Hops = 1,
        });
        stage.Judge.OnForwardedDecided(stage.NowMs, request, site.Number, in decision);
        if (decision.Kind == RouteKind.Wait)
        {
            serving.Ticket = decision.Ticket;
            site.WaitingServings.Add(decision.Ticket, serving);
        }
        else
        {
            ActAtPeer(serving, site, in decision);
        }
    }

    /// <summary>Does what the peer's pool decided.</summary>
    public void ActAtPeer(Serving serving, RegionSite site, in RouteDecision decision)
    {
        if (decision.Kind == RouteKind.Send)
        {
            Send(serving, in decision, site);
            return;
        }

        Close(serving);
        Answer(new PeerAnswer(serving.Request, serving.Attempt, serving.Region, PeerAnswerKind.Refused) { LeftMs = stage.NowMs });
    }

    /// <summary>Answers home, for as long as it makes sense while the way is cut.</summary>
    public void Answer(PeerAnswer answer)
    {
        var home = answer.Request.Home;
        if (!stage.Links.IsCut(answer.From, home)) stage.Add(stage.Links.ArrivalMs(answer.From, home, stage.NowMs), RegionEventKind.AnswerArrives, 0, 0, answer);
        else if (stage.NowMs - answer.LeftMs < AnswersTryForMs) stage.Add(stage.NowMs + RegionStage.WatchMs, RegionEventKind.AnswerLeaves, 0, 0, answer);
    }

    /// <summary>Notes a placement in a region.</summary>
    public Serving Serve(RegionRequest request, int region, int run)
    {
        var serving = new Serving(_servings.Count) { Request = request, Attempt = request.Attempt, Region = region, Run = run };
        var row = request.Row;
        serving.World.Begin(request.Number, region, request.ArrivedMs, in row, stage.Options.Engine.BlockSize);
        _servings.Add(serving);
        _open.Add(serving);
        return serving;
    }

    /// <summary>Sends a request to the endpoint that the region's pool chose.</summary>
    public void Send(Serving serving, in RouteDecision decision, RegionSite site)
    {
        (serving.Lease, serving.HasLease) = (decision.Lease, true);
        site.OpenLeases++;
        if (serving.IsForwarded) site.CountHosted(serving.Request.Home, 1);
        var endpoint = 0;
        while (RegionWorldOptions.EndpointOf(site.Number, endpoint) != decision.Endpoint) endpoint++;
        serving.Endpoint = site.Number * stage.Options.EndpointsPerRegion + endpoint;
        (serving.Request.PlacedMs, serving.Request.Endpoint) = (stage.NowMs, serving.Endpoint);
        if (!serving.IsForwarded) serving.Request.LeftHomeMs = stage.NowMs;
        stage.Add(stage.NowMs + RegionStage.LocalLatencyMs, RegionEventKind.Delivery, 0, 0, serving);
    }

    /// <summary>A placed request gets to its endpoint.</summary>
    public void Deliver(Serving serving)
    {
        if (serving.IsOver) return;
        var engine = stage.Engines[serving.Endpoint];
        if (engine.CutRun(stage.NowMs)) stage.Add(engine.StepEndMs, RegionEventKind.StepEnd, serving.Endpoint, ++_runVersions[serving.Endpoint], null);
        serving.Sequence = engine.Add(
            new VllmRequest
            {
                PromptTokens = serving.World.PromptTokens,
                OutputTokens = serving.World.OutputTokens,
                EndsWith = FinishReason.Stop,
                BlockHashes = serving.World.EngineBlocks,
                Tag = serving.World,
            },
            stage.NowMs);
        serving.IsInEngine = true;
        if (!engine.IsStepping) StartStep(serving.Endpoint);
    }

    /// <summary>An engine's step ends, unless its run was cut since.</summary>
    public void OnStepEnd(int endpoint, int version)
    {
        if (version != _runVersions[endpoint]) return;
        stage.Engines[endpoint].CompleteStep(this);
        StartStep(endpoint);
    }

    /// <summary>Ends all that a region's engines do.</summary>
    public void AbortAll(int region)
    {
        foreach (var serving in _open.Where(s => s.Region == region).OrderBy(s => s.World.Slot).ToArray())
        {
            Abort(serving);
            Close(serving);
        }
    }

    /// <summary>The first token gets to the gateway of the region that serves.</summary>
    public void OnFirstByte(Serving serving)
    {
        if (serving.IsOver) return;
        serving.HasBegun = true;
        var request = serving.Request;
        var site = stage.Sites[serving.Region];
        if (serving.HasLease)
        {
            site.Pool.ReportFirstByte(serving.Lease);
            reports.After(site);
        }

        if (serving.IsForwarded)
        {
            Answer(new PeerAnswer(request, serving.Attempt, serving.Region, PeerAnswerKind.FirstByte) { CachedTokens = serving.World.CachedTokens, LeftMs = stage.NowMs });
            return;
        }

        request.FirstByteMs = stage.NowMs;
        request.CachedTokens = serving.World.CachedTokens;
    }

    /// <summary>The last token gets there.</summary>
    public void OnLastByte(Serving serving)
    {
        if (serving.IsOver) return;
        var request = serving.Request;
        var site = stage.Sites[serving.Region];
        Close(serving);
        if (serving.IsForwarded)
        {
            Answer(new PeerAnswer(request, serving.Attempt, serving.Region, PeerAnswerKind.LastByte) { LeftMs = stage.NowMs });
        }
        else
        {
            request.ServedBy = serving.Region;
            stage.Ledger.End(request, RegionEnd.Served);
        }

        if (!serving.HasLease) return;
        serving.HasLease = false;
        site.OpenLeases--;
        if (serving.IsForwarded) site.CountHosted(serving.Request.Home, -1);
        stage.Gate.Complete(site.Pool, serving.Lease, new RequestOutcome(OutcomeKind.Success, serving.World.PromptTokens, serving.World.CachedTokens, serving.World.OutputTokens));
        reports.After(site);
    }

    /// <summary>Sends a request to the best endpoint of all regions.</summary>
    public void PlaceOmniscient(RegionRequest request)
    {
        var probe = new Serving(_servings.Count) { Request = request, Attempt = request.Attempt, Region = 0, Run = 0 };
        var row = request.Row;
        probe.World.Begin(request.Number, 0, request.ArrivedMs, in row, stage.Options.Engine.BlockSize);
        var endpoint = _omniscient!.Pick(probe.World, request.Home, stage.NowMs);
        var serving = Serve(request, endpoint / stage.Options.EndpointsPerRegion, 0);
        serving.Endpoint = endpoint;
        (request.LeftHomeMs, request.PlacedMs, request.Endpoint) = (stage.NowMs, stage.NowMs, endpoint);
        var way = stage.Options.RoundTripBetween(request.Home, serving.Region) / 2;
        (serving.World.Endpoint, serving.World.SentMs) = (endpoint, stage.NowMs);
        _omniscient.OnSent(serving.World, endpoint, stage.NowMs + way + RegionStage.LocalLatencyMs);
        if (serving.IsForwarded) stage.Ledger.CountForward(request.Home, serving.Region);
        stage.Add(stage.NowMs + way + RegionStage.LocalLatencyMs, RegionEventKind.Delivery, 0, 0, serving);
    }

    private void StartStep(int endpoint)
    {
        var engine = stage.Engines[endpoint];
        if (!engine.PlanRun(stage.NowMs).IsIdle) stage.Add(engine.StepEndMs, RegionEventKind.StepEnd, endpoint, ++_runVersions[endpoint], null);
    }

    private void Abort(Serving serving)
    {
        if (!serving.IsInEngine) return;
        serving.IsInEngine = false;
        var engine = stage.Engines[serving.Endpoint];
        if (engine.CutRun(stage.NowMs)) stage.Add(engine.StepEndMs, RegionEventKind.StepEnd, serving.Endpoint, ++_runVersions[serving.Endpoint], null);
        engine.Abort(serving.Sequence);
    }

    private void Close(Serving serving)
    {
        serving.IsOver = true;
        _open.Remove(serving);
    }
}
