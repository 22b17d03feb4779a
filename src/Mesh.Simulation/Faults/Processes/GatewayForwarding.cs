using Mesh.Core.Routing;

namespace Mesh.Simulation.Faults.Processes;

/// <summary>
/// What a gateway does with its requests, step by step as the real one: place, send, fail over before the first byte a bounded number of
/// times, relay, and give every lease back exactly once with the outcome that tells what happened.
/// </summary>
internal sealed class GatewayForwarding(FaultWorld world, RegionProcess region, GatewayRun gateway)
{
    // The defaults of the gateway's options, and of its client's connections.
    private const int MaxRetries = 2;
    private const int MaxDisplacements = 8;
    private const double ConnectTimeoutMs = 5000;
    private const double LatenessMs = 100;

    public void Begin(ClientRequest request)
    {
        var timeoutMs = world.Plan.Timeout.TotalMilliseconds;
        world.Time.After(timeoutMs, () => TimeOut(request));
        world.Time.After(timeoutMs + LatenessMs, () =>
        {
            if (request.End == RequestEnd.None) world.Journal.Break($"{request} has not ended in its time");
        });
        gateway.Ask(request);
    }

    public void OnDecided(ClientRequest request, RouteDecision decision)
    {
        if (decision.Kind != RouteKind.Send)
        {
            // Others have failed it: that is what its client hears.
            var reason = request.HasSpare ? "endpoint_full" : request.Excluded.IsEmpty ? decision.Reason.ToString() : "all_attempts_failed";
            End(request, RequestEnd.Refused, reason);
            return;
        }

        request.HasSpare = false;
        request.Attempts++;
        if (request.Attempt is not null) world.Journal.Break($"{request} has two attempts under way");
        var endpoint = world.EndpointOf(decision.Endpoint);
        var attempt = request.Attempt = new Attempt(
            gateway, request, endpoint, decision.Lease, new Link(world.Time, world.Network, region.Number, endpoint.Region), new Link(world.Time, world.Network, endpoint.Region, region.Number));
        region.Note($"{gateway.Session} sends {request} to {endpoint.Id} under {decision.Lease}");
        if (!region.Has(endpoint.Id))
        {
            Displace(attempt);
            return;
        }

        attempt.Up.Send(() => endpoint.Receive(() =>
        {
            // Never connected: the request was never sent.
            if (attempt.IsOpen || attempt.IsConnected) endpoint.Accept(attempt);
        }));
        world.Time.After(ConnectTimeoutMs, () =>
        {
            if (attempt.IsOpen && !attempt.IsConnected && !endpoint.IsHung) Fail(attempt, OutcomeKind.ConnectFailure, "connect_failed");
        });
        if (world.Plan.AttemptTimeout is { } limit)
        {
            world.Time.After(limit.TotalMilliseconds, () =>
            {
                if (attempt.IsOpen) Fail(attempt, OutcomeKind.Timeout, "timeout");
            });
        }
    }

    public void OnFirstByte(Attempt attempt)
    {
        attempt.HasBegun = true;
        if (++attempt.Request.AnswersBegun > 1) world.Journal.Break($"{attempt.Request} was answered twice");
        gateway.ReportFirstByte(attempt);
    }

    public void OnLastByte(Attempt attempt, int cachedTokens, int outputTokens)
    {
        if (!attempt.HasBegun) OnFirstByte(attempt);
        var outcome = new RequestOutcome(OutcomeKind.Success, attempt.Request.PromptTokens, cachedTokens > 0 ? cachedTokens : null, outputTokens);
        Close(attempt, outcome, abort: false);
        End(attempt.Request, RequestEnd.Answered, "");
    }

    public void OnReset(Attempt attempt) => Fail(attempt, attempt.HasBegun ? OutcomeKind.StreamBroken : OutcomeKind.ConnectFailure, "reset");

    public void OnStatus(Attempt attempt, int status)
    {
        var request = attempt.Request;
        var isLast = request.Attempts > MaxRetries;
        var isInability = status is 502 or 503 or 504;
        Close(attempt, new RequestOutcome(status == 503 ? OutcomeKind.EndpointFull : OutcomeKind.ServerError), abort: false);
        if (isLast || !isInability)
        {
            request.AnswersBegun++;
            End(request, RequestEnd.Answered, $"status {status}");
            return;
        }

        request.HasSpare = true;
        Retry(attempt);
    }

    public void ClientLeaves(ClientRequest request)
    {
        if (request.End != RequestEnd.None) return;
        if (request.Attempt is { } attempt) Close(attempt, new RequestOutcome(OutcomeKind.ClientGone), abort: true);
        End(request, RequestEnd.ClientLeft, "");
    }

    /// <summary>The gateway has died: endpoints see their connections close, the engine sees nothing.</summary>
    public void Lose(ClientRequest request)
    {
        if (request.Attempt is { } attempt)
        {
            attempt.IsOpen = false;
            Abort(attempt);
        }

        End(request, RequestEnd.GatewayLost, "");
    }

    /// <summary>What runs at an endpoint that the configuration has dropped fails over, or has a while to finish.</summary>
    public void OnReconfigured()
    {
        foreach (var request in gateway.Open.ToArray())
        {
            if (request.Attempt is not { } attempt || region.Has(attempt.Endpoint.Id)) continue;
            if (!attempt.HasBegun) Displace(attempt);
            else if (world.Plan.DrainingLimit is { } limit)
            {
                world.Time.After(limit.TotalMilliseconds, () =>
                {
                    if (attempt.Gateway is null) return;
                    Close(attempt, new RequestOutcome(OutcomeKind.ClientGone), abort: true);
                    End(request, RequestEnd.Broken, "endpoint_draining");
                });
            }
        }
    }

    private void TimeOut(ClientRequest request)
    {
        if (request.End != RequestEnd.None || !gateway.IsAlive) return;
        var hadBegun = request.Attempt?.HasBegun == true;
        if (request.Attempt is { } attempt) Close(attempt, new RequestOutcome(OutcomeKind.Timeout), abort: true);
        End(request, hadBegun ? RequestEnd.Broken : RequestEnd.Refused, "timeout");
    }

    private void Fail(Attempt attempt, OutcomeKind outcome, string reason)
    {
        if (attempt.Gateway is null) return;
        var request = attempt.Request;
        Close(attempt, new RequestOutcome(outcome), abort: true);
        if (attempt.HasBegun) End(request, RequestEnd.Broken, reason);
        else if (request.Attempts > MaxRetries) End(request, RequestEnd.Refused, "all_attempts_failed");
        else Retry(attempt);
    }

    // Not the endpoint's failure, and no attempt of the client's.
    private void Displace(Attempt attempt)
    {
        var request = attempt.Request;
        Close(attempt, new RequestOutcome(OutcomeKind.ClientGone), abort: true);
        request.Attempts--;
        if (++request.Displacements <= MaxDisplacements) Retry(attempt);
        else End(request, RequestEnd.Refused, "all_attempts_failed");
    }

    private void Retry(Attempt attempt)
    {
        var request = attempt.Request;
        if (request.AnswersBegun > 0) world.Journal.Break($"{request} is tried again after its answer began");
        request.Excluded = request.Excluded.Add(attempt.Endpoint.Id);
        gateway.Ask(request);
    }

    private void Close(Attempt attempt, RequestOutcome outcome, bool abort)
    {
        attempt.IsOpen = false;
        attempt.Request.Attempt = null;
        if (abort) Abort(attempt);
        gateway.Complete(attempt, outcome);
    }

    private static void Abort(Attempt attempt) => attempt.Up.Send(() => attempt.Endpoint.Receive(() => attempt.Endpoint.Abort(attempt)));

    private void End(ClientRequest request, RequestEnd end, string reason)
    {
        if (request.End != RequestEnd.None) world.Journal.Break($"{request} ended twice");
        request.End = end;
        request.Reason = reason;
        if (request.Call != 0 && gateway.IsAlive) gateway.StopAsking(request);
        gateway.Open.Remove(request);
        world.OnEnded(request);
    }
}
