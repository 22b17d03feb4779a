using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.FlowControl;
using Mesh.Core.Health;
using Mesh.Core.Routing;
using Mesh.Core.Snapshots;

namespace Mesh.Simulation.Faults.Judging;

/// <summary>What must hold of every placement and every refusal, whatever the profile prefers.</summary>
internal sealed class PlacementRules(PoolLedger ledger, Journal journal, TimeProvider time)
{
    private readonly RateJudge _rates = new(journal, time);

    private static readonly EjectionOptions Ejection = new();

    /// <summary>Another configuration is in force.</summary>
    public void OnReconfigured() => _rates.Start();

    /// <summary>The endpoint can take the request, and its backend had room; the lease is in the ledger already.</summary>
    /// <param name="request">The request.</param>
    /// <param name="decision">Send.</param>
    /// <param name="waitedSince">When it began to wait; null when it was placed at once.</param>
    public void JudgePlacement(in RouteRequest request, RouteDecision decision, long? waitedSince)
    {
        if (ledger.BackendOf(decision.Endpoint) is not { } backend)
        {
            journal.Break($"{decision.Endpoint} is not configured and got a request");
            return;
        }

        if (backend.Id != decision.Backend) journal.Break($"{decision.Endpoint} is of {backend.Id}, the decision names {decision.Backend}");
        if (ledger.Endpoints[decision.Endpoint].Health is var health && health != EndpointHealth.Healthy) journal.Break($"{decision.Endpoint} is {health} and got a request");
        if (!request.Excluded.IsDefaultOrEmpty && request.Excluded.Contains(decision.Endpoint)) journal.Break($"{decision.Endpoint} has failed this request and got it again");
        if (!ledger.Endpoints[decision.Endpoint].Serves(request.Model)) journal.Break($"{decision.Endpoint} does not list {request.Model} and got a request for it");
        if (backend.Settings.CapacityScaler <= 0) journal.Break($"{backend.Id} is scaled to 0 and got a request");
        JudgeLimit(backend, decision, waitedSince);
    }

    /// <summary>A refusal has a reason that is true.</summary>
    public void JudgeRefusal(in RouteRequest request, RouteDecision decision, Func<PoolSnapshot> snapshot)
    {
        switch (decision.Reason)
        {
            case DecisionReason.Saturated or DecisionReason.QueueFull or DecisionReason.PriorityShed or DecisionReason.TooManyLeases:
                if (decision.RetryAfter <= TimeSpan.Zero) journal.Break($"refused as {decision.Reason} without a time to come back");
                break;
            case DecisionReason.NoEndpoints:
                if (ledger.Config.Backends.Any(b => b.Endpoints.Length > 0)) journal.Break("refused for want of endpoints, of which there are");
                break;
            case DecisionReason.NoReadyEndpoint or DecisionReason.AllAttemptsFailed or DecisionReason.UnknownModel:
                if (FindReady(in request, snapshot()) is { } ready) journal.Break($"refused as {decision.Reason} though {ready} is ready");
                break;
            default:
                journal.Break($"refused as {decision.Reason}, which is no reason");
                break;
        }
    }

    /// <summary>An endpoint that fails and fails is left alone, as far as its backend can do without it.</summary>
    public void JudgeEjection(EndpointId endpoint, OutcomeKind outcome, Func<PoolSnapshot> snapshot)
    {
        if (ledger.BackendOf(endpoint) is not { } backend || !ledger.Endpoints.TryGetValue(endpoint, out var shadow)) return;
        if (outcome is OutcomeKind.Success) shadow.FailuresInARow = 0;
        if (outcome is not (OutcomeKind.ConnectFailure or OutcomeKind.ServerError or OutcomeKind.Timeout or OutcomeKind.StreamBroken)) return;
        shadow.FailuresInARow++;
        var (all, ejected, othersReady) = (0, 0, 0);
        EndpointSnapshot? own = null;
        foreach (var seen in snapshot().Backends.Single(b => b.Id == backend.Id).Endpoints)
        {
            if (seen.Id == endpoint) own = seen;
            if (seen.Draining) continue;
            all++;
            if (seen.EjectedUntil is not null) ejected++;
            else if (seen.Id != endpoint && seen.Health == EndpointHealth.Healthy) othersReady++;
        }

        if (own is null) return;
        if (own.Ejections != shadow.Ejections || own.EjectedUntil is not null)
        {
            // It is judged by what comes after its return.
            shadow.Ejections = own.Ejections;
            shadow.FailuresInARow = 0;
            return;
        }

        if (shadow.FailuresInARow >= Ejection.ConsecutiveFailures && othersReady > 0 && ejected + 1 <= all * Ejection.MaxEjectedRatio)
            journal.Break($"{endpoint} has failed {shadow.FailuresInARow} requests in a row and is not ejected");
    }

    /// <summary>An endpoint that is left alone gets a request only where its backend has nobody else for it.</summary>
    public void JudgeEjected(EndpointId placed, in RouteRequest request, PoolSnapshot snapshot)
    {
        var backend = snapshot.Backends.FirstOrDefault(b => b.Endpoints.Any(e => e.Id == placed));
        if (backend is null || !backend.Endpoints.Any(e => e.Id == placed && e.EjectedUntil is not null)) return;
        foreach (var other in backend.Endpoints)
        {
            if (other.EjectedUntil is not null || other.Draining || other.Health != EndpointHealth.Healthy || !MayTake(in request, other.Id)) continue;
            journal.Break($"{placed} is ejected and got a request that {other.Id} could take");
            return;
        }
    }

    private void JudgeLimit(BackendConfig backend, RouteDecision decision, long? waitedSince)
    {
        if (backend.Settings.Mode is null || decision.Reason == DecisionReason.LastResort) return;
        // Who was let in above the target and waited for its endpoint is sent there for another reason.
        if (ledger.Config.FlowControl.WhenFull == WhenFull.Overfill && (decision.Reason == DecisionReason.Overfill || waitedSince is not null)) return;
        // Who waits for an endpoint has its place already: a target that shrinks, or leases that come back, take it from nobody.
        if (waitedSince is { } since && ledger.DisturbedAt >= since) return;
        if (backend.Settings.Mode == BalancingMode.Rate)
        {
            _rates.OnPlaced(backend, waitedSince);
            return;
        }

        var target = backend.Settings.MaxInFlightPerEndpoint * (double)backend.Endpoints.Length * backend.Settings.CapacityScaler;
        var inFlight = ledger.InFlightAt(backend);
        if (inFlight > target) journal.Break($"{backend.Id} got its {inFlight}th request in flight above its target of {target} as {decision.Reason}");
    }

    private string? FindReady(in RouteRequest request, PoolSnapshot snapshot)
    {
        foreach (var backend in snapshot.Backends)
        {
            if (backend.Settings.CapacityScaler <= 0 || !ledger.Config.Backends.Any(b => b.Id == backend.Id)) continue;
            foreach (var endpoint in backend.Endpoints)
            {
                if (endpoint.Draining || endpoint.EjectedUntil is not null || ledger.Endpoints[endpoint.Id].Health != EndpointHealth.Healthy) continue;
                if (MayTake(in request, endpoint.Id)) return endpoint.Id.Address;
            }
        }

        return null;
    }

    private bool MayTake(in RouteRequest request, EndpointId endpoint) =>
        (request.Excluded.IsDefaultOrEmpty || !request.Excluded.Contains(endpoint)) && ledger.Endpoints[endpoint].Serves(request.Model);
}
