using Mesh.Core.Endpoints;
using Mesh.Core.Leases;
using Mesh.Core.PrefixCache;
using Mesh.Core.Regions.Peers;
using Mesh.Core.Regions.Reporting;
using Mesh.Core.Scheduling.Cost;
using Mesh.Core.SpillOver;

namespace Mesh.Core.Routing;

/// <summary>
/// What is in flight in one pool: leases, and with each of them the counts of its endpoint and backend, the work that it is predicted to
/// be, and the prompt that its endpoint will hold. Everything that a lease adds, its end takes away.
/// </summary>
internal sealed class Reservations(PoolStateOptions options, PoolClock clock, EndpointTable endpoints, PrefixKnowledge prefixes)
{
    // Shorter prompts share steps with others and say little about an endpoint's speed.
    private const double LeastInstructiveMs = 50;
    // So have short answers: their first steps are shared with prompts.
    private const int LeastInstructiveTokens = 32;

    private const double TypicalShare = 0.02;

    // No prompt takes longer than the longest request time-out.
    private const double LongestAnnouncedMs = 3_600_000;

    private readonly SpeedEstimate _poolSpeed = new();
    private readonly SpeedEstimate _poolDecodeSpeed = new();

    public SessionTable Sessions { get; } = new(clock.SessionTimeoutTicks, options.MaxSessions);

    public LeaseTable Leases { get; } = new(options.Epoch, options.MaxLeases);

    /// <summary>The pool's endpoints.</summary>
    public EndpointTable Endpoints => endpoints;

    /// <summary>How far predictions of the time to the first token were off.</summary>
    public PredictionError FirstTokenError { get; } = new();

    /// <summary>How far predictions of the time per output token were off.</summary>
    public PredictionError OutputTokenError { get; } = new();

    /// <summary>The peer regions.</summary>
    public required PeerTable Peers { get; init; }

    /// <summary>Set with every configuration.</summary>
    public required BackendTable Backends { get; set; }

    /// <summary>Set with every configuration.</summary>
    public required CostModel Costs { get; set; }

    /// <summary>Counts the beginnings of prompts for the peers; null before there are any.</summary>
    public HotPrefixCounter? Hot { get; set; }

    /// <summary>Counts what flows get for the peers; null before there are any.</summary>
    public FlowMeter? Flows { get; set; }

    /// <summary>Tokens of prompts and answers that endpoints did not hold before.</summary>
    public long CachedEver { get; private set; }

    /// <summary>Prompt tokens that ready endpoints hold together, as far as was learned.</summary>
    public long CacheTokens
    {
        get
        {
            var tokens = 0.0;
            foreach (var endpoint in endpoints.Configured)
            {
                if (endpoint.IsReady) tokens += endpoint.KvCapacityTokens * (double)prefixes.ShareOf(endpoint.Slot);
            }

            return (long)tokens;
        }
    }

    /// <summary>Predicted work of a prompt sent lately, in milliseconds: a moving mean.</summary>
    public double TypicalWorkMs { get; private set; } = 100;

    /// <summary>Makes a lease on an endpoint that was chosen.</summary>
    /// <param name="request">The request.</param>
    /// <param name="session">Its session.</param>
    /// <param name="placement">The choice.</param>
    /// <param name="counted">True when its backend has counted the request since it began to wait for the endpoint.</param>
    /// <param name="now">Now.</param>
    public RouteDecision Reserve(in RouteRequest request, SessionState session, in Placement placement, bool counted, TimeSpan now)
    {
        var endpoint = placement.Endpoint!;
        var nowMs = now.TotalMilliseconds;
        var load = new LeaseLoad(
            Math.Max(0, request.PromptTokens),
            request.MaxOutputTokens > 0 ? request.MaxOutputTokens : options.AssumedOutputTokens)
        {
            Streaming = request.IsStreaming,
            Adapter = endpoints.Adapters.Find(request.Model),
            Origin = OriginOf(request.OriginRegion),
            OwnMs = placement.OwnMs,
            TableMs = placement.TableMs,
            CachedTokens = placement.CachedTokens,
            SentMs = nowMs,
            FirstByteMs = nowMs + endpoint.Work.WaitMs(nowMs) + placement.OwnMs,
            BusyUntilMs = endpoint.Work.BusyUntilWith(placement.OwnMs, nowMs),
        };
        Leases.TryAdd(session, endpoint, load, out var lease);
        if (load.Origin is { } origin) origin.Hosted++;
        endpoint.Reserve(load);
        endpoint.Work.OnSent(load.OwnMs, load.Streaming, load.ContextTokens, nowMs, Costs);
        if (!counted) Backends.OnPlaced(endpoint, now, placement.WithinTarget);
        prefixes.OnSent(lease, endpoint.Slot, request.PrefixChain.Span, load.PromptTokens);
        prefixes.Store(endpoint.Slot, request.PrefixChain.Span, endpoint.KvCapacityTokens);
        TypicalWorkMs += TypicalShare * (placement.OwnMs - TypicalWorkMs);
        CachedEver += load.Tokens - load.CachedTokens;
        Hot?.Count(request.PrefixChain.Span);
        Flows?.Count(in request);
        return RouteDecision.Send(endpoint.Id, endpoint.Backend.Id, lease, placement.Reason) with
        {
            Work = new LeaseWork((float)load.OwnMs, (float)(load.BusyUntilMs - nowMs)),
        };
    }

    /// <summary>Makes a lease on a peer region that was chosen.</summary>
    public RouteDecision Forward(in RouteRequest request, SessionState session, in Placement placement, TimeSpan now)
    {
        var peer = placement.Peer!;
        var load = new LeaseLoad(Math.Max(0, request.PromptTokens), request.MaxOutputTokens > 0 ? request.MaxOutputTokens : options.AssumedOutputTokens)
        {
            Streaming = request.IsStreaming,
            OwnMs = placement.OwnMs,
            SentMs = now.TotalMilliseconds,
        };
        Leases.TryAdd(session, peer, load, out var lease);
        peer.OnSent(placement.OwnMs, now);
        Peers.OnOverflow(now);
        if (peer.IsShard) Peers.OnSentToShard(now);
        Peers.Prefixes.Store(peer.Number, request.PrefixChain.Span, peer.CacheTokens);
        return RouteDecision.Forward(peer.Region, lease, placement.Reason, peer.Credits.Epoch);
    }

    /// <summary>Takes over a lease that a gateway announced.</summary>
    public bool TryAdopt(SessionState session, EndpointState endpoint, HeldLease held, TimeSpan now)
    {
        var nowMs = now.TotalMilliseconds;
        var sentMs = nowMs - Math.Max(0, held.Age.TotalMilliseconds);
        var load = new LeaseLoad(Math.Max(0, held.PromptTokens), Math.Max(0, held.OutputTokens))
        {
            IsAdopted = true,
            Streaming = !held.IsWhole,
            Adapter = endpoints.Adapters.Find(held.Model),
            Origin = OriginOf(held.OriginRegion),
            OwnMs = Duration(held.Work.PromptMs),
            SentMs = sentMs,
            BusyUntilMs = sentMs + Duration(held.Work.BusyMs),
        };
        if (!Leases.TryAdopt(session, endpoint, load, held.Lease, held.FirstByteSeen)) return false;
        if (load.Origin is { } origin) origin.Hosted++;
        endpoint.Reserve(load, held.FirstByteSeen);
        if (held.FirstByteSeen && load.Streaming) endpoint.Work.OnAdoptedStream(load.BusyUntilMs, load.ContextTokens, BegunMs(in held, nowMs), nowMs, Costs);
        else endpoint.Work.OnAdopted(load.OwnMs, load.BusyUntilMs, load.Streaming, load.ContextTokens, nowMs, Costs);
        Backends.OnPlaced(endpoint, now, withinTarget: false);
        return true;
    }

    /// <summary>Tells the streams among leases that were taken over how far they are; once all are there, because each slows the others.</summary>
    public void ResumeStreams(ReadOnlySpan<HeldLease> held, TimeSpan now)
    {
        var nowMs = now.TotalMilliseconds;
        foreach (ref readonly var lease in held)
        {
            if (!lease.FirstByteSeen || lease.IsWhole || !Leases.AwaitsStream(lease.Lease, out var endpoint)) continue;
            Leases.SetStream(lease.Lease, endpoint!.Work.ResumeStream(BegunMs(in lease, nowMs), nowMs, Costs));
        }
    }

    /// <summary>Takes over a lease on a request with a peer that a gateway announced.</summary>
    public bool TryAdopt(SessionState session, Peer peer, HeldLease held, TimeSpan now)
    {
        var load = new LeaseLoad(Math.Max(0, held.PromptTokens), Math.Max(0, held.OutputTokens)) { IsAdopted = true, Streaming = true, SentMs = now.TotalMilliseconds };
        if (!Leases.TryAdopt(session, peer, load, held.Lease, held.FirstByteSeen)) return false;
        peer.OnAdopted(held.FirstByteSeen);
        return true;
    }

    /// <summary>The first byte of an answer has come; the endpoint that it came from, or null when it changes nothing.</summary>
    public EndpointState? OnFirstByte(LeaseId lease)
    {
        if (!Leases.TryMarkFirstByte(lease, out var endpoint, out var peer, out var load)) return null;
        peer?.OnFirstByte();
        if (endpoint is null) return null;
        endpoint.EndPrefill(load);
        prefixes.OnFirstByte(lease);
        // An answer that comes as a whole begins when all is computed: its first byte says nothing about the prompt.
        if (!load.Streaming) return null;
        var nowMs = clock.SinceStart(clock.Now).TotalMilliseconds;
        var begun = Math.Max(load.SentMs, endpoint.Work.LastFirstByteMs);
        // One that was taken over brings no table time: those before it may not be known, nor how late the word of their first byte came.
        if (load.TableMs >= LeastInstructiveMs)
        {
            endpoint.Work.ObservePrefill(nowMs - begun, load.TableMs, nowMs);
            _poolSpeed.Observe(nowMs - begun, load.TableMs, nowMs);
        }
        if (load.TableMs > 0) FirstTokenError.Observe(load.FirstByteMs - load.SentMs, nowMs - load.SentMs);
        Leases.SetStream(lease, endpoint.Work.OnFirstByte(load.OwnMs, load.ContextTokens, nowMs, Costs));
        return endpoint;
    }

    /// <summary>An endpoint has told of itself: what was learned about it, and has not been confirmed for long, is doubted.</summary>
    public void OnSample(EndpointState endpoint, EndpointSample sample)
    {
        endpoint.Work.Presume(sample, Costs);
        endpoint.Work.RelaxSpeed(_poolSpeed.Ratio, clock.SinceStart(clock.Now).TotalMilliseconds);
    }

    /// <summary>Ends a lease; false when it is unknown. The endpoint is null for a request that was forwarded.</summary>
    public bool TryEnd(LeaseId lease, in RequestOutcome outcome, out EndpointState? endpoint)
    {
        endpoint = null;
        if (!Leases.TryTake(lease, out var ended)) return false;
        endpoint = ended.Endpoint;
        if (endpoint is null)
        {
            EndForwarded(in ended, outcome.Kind);
            return true;
        }
        prefixes.OnEnded(lease, in outcome);
        if (CountsAsLoad(outcome.Kind)) endpoint.AddFailure(options.FailureWeightRequests, ended.Load, clock.FailureDecay(clock.Now));
        if (outcome.Kind == OutcomeKind.Success) Learn(in ended, in outcome);
        Release(in ended);
        return true;
    }

    /// <summary>Ends every lease of a session.</summary>
    public void EndAll(SessionState session)
    {
        while (Leases.TryTakeFirst(session, out var ended)) Release(in ended);
    }

    // The predictions are a gateway's word: whatever comes, they stay times.
    private static double Duration(float ms) => ms > 0 ? Math.Min(ms, LongestAnnouncedMs) : 0;

    private static double BegunMs(in HeldLease held, double nowMs) => nowMs - Math.Clamp(held.FirstByteAge.TotalMilliseconds, 0, Math.Max(0, held.Age.TotalMilliseconds));

    private Peer? OriginOf(string? region) => region is not null && Peers.TryFind(region, out var peer) ? peer : null;

    // What went wrong between the regions says nothing about an endpoint there: the peer knows its own.
    private void EndForwarded(in EndedLease ended, OutcomeKind outcome)
    {
        var peer = ended.Peer!;
        Release(in ended);
        if (outcome == OutcomeKind.PeerRefused) peer.OnRefused();
        else if (outcome is OutcomeKind.ConnectFailure or OutcomeKind.Timeout || (outcome == OutcomeKind.StreamBroken && !ended.FirstByteSeen)) peer.OnFailed(clock.SinceStart(clock.Now));
        else if (outcome == OutcomeKind.Success) peer.OnSucceeded();
    }

    // The usage block tells what was really computed.
    private void Learn(in EndedLease ended, in RequestOutcome outcome)
    {
        // How far a stream was when it was taken over is a guess, and so is what was cached.
        if (ended.Load.IsAdopted) return;
        var work = ended.Endpoint!.Work;
        if (outcome.CachedTokens is { } cached) prefixes.Observe(ended.Endpoint.Slot, ended.Load.CachedTokens, cached);
        if (!ended.Stream.IsStream || outcome.OutputTokens < LeastInstructiveTokens) return;
        var nowMs = clock.SinceStart(clock.Now).TotalMilliseconds;
        var predictedTokens = work.PredictedTokens(in ended.Stream, nowMs, Costs) - 1;
        var tookMs = nowMs - ended.Stream.BegunMs;
        var tableTokens = work.TableTokens(in ended.Stream, nowMs, Costs) - 1;
        if (tookMs <= 0 || predictedTokens <= 0 || tableTokens <= 0) return;
        var (observedMs, predictedMs) = (tookMs / (outcome.OutputTokens - 1), tookMs / predictedTokens);
        OutputTokenError.Observe(predictedMs, observedMs);
        var tableMs = tookMs / tableTokens;
        _poolDecodeSpeed.Observe(observedMs, tableMs, nowMs);
        work.ObserveDecode(observedMs, tableMs, _poolDecodeSpeed.Ratio, nowMs);
    }

    private static bool CountsAsLoad(OutcomeKind kind) => kind is
        OutcomeKind.ConnectFailure or OutcomeKind.ServerError or OutcomeKind.Timeout or OutcomeKind.StreamBroken or OutcomeKind.EndpointFull;

    private void Release(in EndedLease ended)
    {
        ended.Peer?.OnEnded(ended.FirstByteSeen);
        if (ended.Load.Origin is { } origin) origin.Hosted--;
        if (ended.Endpoint is null) return;
        ended.Endpoint.Release(in ended);
        var answered = ended.FirstByteSeen || !ended.Load.Streaming;
        ended.Endpoint.Work.OnEnded(answered, in ended.Stream, ended.Load.OwnMs, ended.Load.ContextTokens, clock.SinceStart(clock.Now).TotalMilliseconds, Costs);
        Backends.OnCompleted(ended.Endpoint);
        endpoints.ForgetIfDrained(ended.Endpoint);
    }
}
