using Mesh.Core.Snapshots;

namespace Mesh.Simulation.Faults.Judging;

/// <summary>Compares all that a pool's snapshot shows with what its ledger says that it must hold.</summary>
internal static class Recount
{
    // A host looks at the time once a second at least.
    private const double TickMs = 1100;

    /// <summary>The first difference in words; null when there is none.</summary>
    public static string? Difference(PoolSnapshot snapshot, PoolLedger ledger, TimeProvider time, TimeSpan sessionTimeout)
    {
        if (snapshot.Leases != ledger.LeaseCount) return $"the pool has {snapshot.Leases} leases, {ledger.LeaseCount} are outstanding";
        var waiting = 0;
        foreach (var band in snapshot.Queue) waiting += band.Requests;
        if (waiting != ledger.Waits.Count) return $"{waiting} requests wait in the pool, {ledger.Waits.Count} were told to";
        return OfEndpoints(snapshot, ledger) ?? OfBackends(snapshot, ledger) ?? OfTime(ledger, time, sessionTimeout);
    }

    private static string? OfEndpoints(PoolSnapshot snapshot, PoolLedger ledger)
    {
        var seen = 0;
        foreach (var backend in snapshot.Backends)
        {
            foreach (var endpoint in backend.Endpoints)
            {
                if (!ledger.Endpoints.TryGetValue(endpoint.Id, out var shadow)) return $"{endpoint.Id} should be gone, the pool has it with {endpoint.InFlightRequests} in flight";
                seen++;
                if (endpoint.InFlightRequests != shadow.InFlight) return $"{endpoint.Id} has {endpoint.InFlightRequests} in flight, {shadow.InFlight} leases";
                if (endpoint.InFlightTokens != shadow.Tokens) return $"{endpoint.Id} has {endpoint.InFlightTokens} tokens in flight, its leases {shadow.Tokens}";
                if (endpoint.InFlightPrefillTokens != shadow.PrefillTokens)
                    return $"{endpoint.Id} has {endpoint.InFlightPrefillTokens} prompt tokens to compute, its leases {shadow.PrefillTokens}";
                if (endpoint.Draining != ledger.BackendOf(endpoint.Id) is null) return $"{endpoint.Id} {(endpoint.Draining ? "drains though it is configured" : "does not drain though it was removed")}";
                if (endpoint.Health != shadow.Health) return $"{endpoint.Id} counts as {endpoint.Health}, its probes and samples say {shadow.Health}";
            }
        }

        return seen == ledger.Endpoints.Count ? null : $"the pool has {seen} endpoints, {ledger.Endpoints.Count} are configured or in use";
    }

    private static string? OfBackends(PoolSnapshot snapshot, PoolLedger ledger)
    {
        foreach (var backend in snapshot.Backends)
        {
            if (!ledger.Config.Backends.Any(b => b.Id == backend.Id)) continue;
            var counted = 0;
            foreach (var endpoint in backend.Endpoints)
            {
                if (!endpoint.Draining) counted += endpoint.InFlightRequests + endpoint.WaitingRequests;
            }

            if (counted != backend.InFlightRequests) return $"backend {backend.Id} counts {backend.InFlightRequests} requests, its endpoints {counted}";
        }

        return null;
    }

    // Whatever happens, capacity and answers come back in a bounded time.
    private static string? OfTime(PoolLedger ledger, TimeProvider time, TimeSpan sessionTimeout)
    {
        var now = time.GetTimestamp();
        foreach (var (session, lastSeen) in ledger.Sessions)
        {
            var silentMs = time.GetElapsedTime(lastSeen, now).TotalMilliseconds;
            if (silentMs > sessionTimeout.TotalMilliseconds + TickMs) return $"session {session} has been silent for {silentMs:0} ms and keeps its leases";
        }

        var longestMs = Math.Max(ledger.Config.Timeout.TotalMilliseconds, ledger.Config.FlowControl.MaxWait.TotalMilliseconds) + TickMs;
        foreach (var (ticket, wait) in ledger.Waits)
        {
            var waitedMs = time.GetElapsedTime(wait.Since, now).TotalMilliseconds;
            if (waitedMs > longestMs) return $"ticket {ticket} has waited for {waitedMs:0} ms";
        }

        return null;
    }
}
