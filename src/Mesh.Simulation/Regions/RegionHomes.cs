using Mesh.Core.Regions.Links;
using Mesh.Core.Routing;

namespace Mesh.Simulation.Regions;

/// <summary>
/// What a client's own gateway does with its request: it asks its pool, sends the request on to a peer where the pool says so, takes the peer's answers, and gives up
/// a peer that can no longer be relied upon.
/// </summary>
internal sealed class RegionHomes(RegionStage stage, RegionServices services, RegionReports reports)
{
    private const int UnreliableWatchesBeforeGivingUp = 10;
    private const int UnreliableWatchesBeforeBreaking = 50;
    private readonly Dictionary<RegionRequest, int> _unreliable = [];

    /// <summary>A client's request comes to its home.</summary>
    public void Arrive(RegionRequest request)
    {
        if (!stage.Sites[request.Home].IsAlive) stage.Ledger.End(request, RegionEnd.LostWithGateway);
        else if (stage.IsOmniscient) services.PlaceOmniscient(request);
        else RouteAtHome(request);
    }

    /// <summary>Does what the pool decided.</summary>
    public void ActAtHome(RegionRequest request, RegionSite site, in RouteDecision decision)
    {
        switch (decision.Kind)
        {
            case RouteKind.Refuse:
                request.Reason = decision.Reason;
                stage.Ledger.End(request, RegionEnd.Refused);
                break;
            case RouteKind.Send:
                services.Send(services.Serve(request, site.Number, site.Run), in decision, site);
                break;
            case RouteKind.Forward:
                Forward(request, site, in decision);
                break;
            default:
                stage.Judge.Break(stage.NowMs, $"request {request.Number} was told to wait again");
                break;
        }
    }

    /// <summary>A peer's answer gets home.</summary>
    public void OnAnswer(PeerAnswer answer)
    {
        var request = answer.Request;
        var site = stage.Sites[request.Home];
        var isCurrent = answer.Attempt == request.Attempt && request.HasLease && request.End == RegionEnd.None;
        if (!site.IsAlive || (!stage.IsOmniscient && stage.Gate.KnowsAttempts && !isCurrent)) return;
        switch (answer.Kind)
        {
            case PeerAnswerKind.FirstByte:
                if (double.IsNaN(request.FirstByteMs)) request.FirstByteMs = stage.NowMs;
                request.CachedTokens = answer.CachedTokens;
                if (!stage.IsOmniscient) site.Pool.ReportFirstByte(request.Lease);
                break;
            case PeerAnswerKind.LastByte:
                request.ServedBy = answer.From;
                // A short answer's end can overtake its beginning.
                if (double.IsNaN(request.FirstByteMs)) request.FirstByteMs = stage.NowMs;
                Release(request, site, OutcomeKind.Success);
                stage.Ledger.End(request, RegionEnd.Served);
                break;
            case PeerAnswerKind.Refused:
                stage.Ledger.CountRefusal(request.Home, answer.From);
                TryElsewhere(request, site, OutcomeKind.PeerRefused, stage.Gate.ExcludesRefusals);
                break;
            case PeerAnswerKind.Failed:
                GiveUp(request, site, OutcomeKind.ConnectFailure);
                break;
        }

        if (!stage.IsOmniscient) reports.After(site);
    }

    /// <summary>Looks whether the peer that has a request can still be relied upon.</summary>
    public void Watch(RegionRequest request, int attempt)
    {
        var site = stage.Sites[request.Home];
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
            reports.After(site);
            return;
        }

        stage.Add(stage.NowMs + RegionStage.WatchMs, RegionEventKind.Watch, attempt, 0, request);
    }

    /// <summary>Asks home's pool for a place.</summary>
    public void RouteAtHome(RegionRequest request)
    {
        var site = stage.Sites[request.Home];
        request.Attempt++;
        var decision = stage.Gate.Route(site.Pool, site.AsRouted(request) with
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

        reports.After(site);
    }

    private void Forward(RegionRequest request, RegionSite site, in RouteDecision decision)
    {
        var region = decision.Region;
        var to = Array.FindIndex(stage.Sites, s => s.Name == region);
        stage.Judge.OnForward(stage.NowMs, request, to, site.ForwardedTo(region!), in decision);
        request.LeftHomeMs = stage.NowMs;
        (request.ForwardedTo, request.Lease, request.HasLease, request.Reason) = (to, decision.Lease, true, decision.Reason);
        site.OpenLeases++;
        site.CountForwarded(to, 1);
        stage.Ledger.CountForward(request.Home, to);
        stage.Add(stage.Links.ArrivalMs(request.Home, to, stage.NowMs), RegionEventKind.PeerArrival, request.Attempt, to, request);
        if (stage.Judge.HasFaults) stage.Add(stage.NowMs + RegionStage.WatchMs, RegionEventKind.Watch, request.Attempt, 0, request);
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
        stage.Ledger.End(request, RegionEnd.Broken);
    }

    private void TryElsewhere(RegionRequest request, RegionSite site, OutcomeKind outcome, bool excludes)
    {
        var from = request.ForwardedTo;
        stage.Judge.OnNotTaken(request, from);
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
        stage.Gate.Complete(site.Pool, request.Lease, new RequestOutcome(outcome));
        request.ForwardedTo = -1;
    }
}
