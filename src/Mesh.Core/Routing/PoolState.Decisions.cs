using System.Collections.Immutable;

namespace Mesh.Core.Routing;

// How requests were placed, for those who ask.
public sealed partial class PoolState
{
    /// <summary>
    /// The last decisions that were noted, the newest first: those asked for (<see cref="RouteRequest.Explain"/>), and what <see cref="PoolStateOptions"/> adds. Costs a copy.
    /// </summary>
    public ImmutableArray<ExplainedDecision> Decisions() => _log.Read();

    /// <summary>As <see cref="Decisions()"/>, those of one request or all, at most so many.</summary>
    public ImmutableArray<ExplainedDecision> Decisions(string? requestId, int limit) => _log.Read(requestId, limit);

    private RouteDecision Decide(in RouteRequest request, long timestamp)
    {
        if (request.OriginRegion is null) return DecideHere(in request, timestamp);
        if (request.Hops > 1)
        {
            if (!request.IsTentative) Arrived(in request);
            return RouteDecision.Refuse(DecisionReason.TooManyHops);
        }
        if (!request.IsTentative) Arrived(in request);
        var decision = DecideHere(in request, timestamp);
        if (request.IsTentative && decision.Kind != RouteKind.Refuse) Arrived(in request);
        return decision;
    }

    private void Arrived(in RouteRequest request)
    {
        if (_peers.TryFind(request.OriginRegion, out var peer)) peer.OnReceived(request.OriginEpoch);
    }

    private RouteDecision DecideHere(in RouteRequest request, long timestamp)
    {
        if (_endpoints.Configured.IsEmpty && _endpoints.Drained.IsEmpty && _peers.IsEmpty) return RouteDecision.Refuse(DecisionReason.NoEndpoints);
        // Make sure that a lease can be had before anything is chosen.
        var session = _reservations.Sessions.Touch(request.Session, timestamp);
        if (session is null || _reservations.Leases.IsFull) return WithHint(RouteDecision.Refuse(DecisionReason.TooManyLeases));
        return WithHint(_dispatcher.Place(in request, session, timestamp, _clock.SinceStart(timestamp)));
    }

    private void Note(in RouteRequest request, RouteDecision decision, DecisionFacts facts, long timestamp)
    {
        var waitsFor = decision.Kind == RouteKind.Wait && _dispatcher.Room.TryFind(decision.Ticket, out var waiter) ? waiter.Endpoint?.Id ?? default : default;
        _log.Add(new ExplainedDecision
        {
            RequestId = request.RequestId,
            Pool = Id,
            Timestamp = timestamp,
            Kind = decision.Kind,
            Reason = decision.Reason,
            Endpoint = decision.Endpoint,
            Backend = decision.Backend,
            Ticket = decision.Ticket,
            WaitsFor = waitsFor,
            Model = request.Model,
            Priority = request.Priority,
            PromptTokens = request.PromptTokens,
            FailedBefore = request.Excluded.IsDefaultOrEmpty ? 0 : request.Excluded.Length,
            Profile = _config.Scheduling.Profile,
            WaitingRequests = _dispatcher.Room.Count - (decision.Kind == RouteKind.Wait ? 1 : 0),
            CandidateCount = facts.CandidateCount,
            Candidates = facts.Best(decision.Kind == RouteKind.Wait ? waitsFor : decision.Endpoint),
            RemovedBy = facts.RemovedBy,
            Removed = facts.Removed,
            Backends = facts.Backends,
            Region = decision.Region,
            OriginRegion = request.OriginRegion,
            Regions = facts.Regions,
        });
    }

    // Who waited was not noted when it came; what it could have chosen from then is not known any more.
    private void NoteLate(string requestId, long ticket, RouteDecision decision, TimeSpan since) => _log.Add(new ExplainedDecision
    {
        RequestId = requestId,
        Pool = Id,
        Timestamp = _clock.TimestampAt(since),
        Kind = decision.Kind,
        Reason = decision.Reason,
        Ticket = ticket,
        Profile = _config.Scheduling.Profile,
        Waited = _clock.SinceStart(_clock.Now) - since,
        WaitingRequests = _dispatcher.Room.Count,
    });
}
