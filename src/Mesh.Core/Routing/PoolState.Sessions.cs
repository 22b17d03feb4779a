using Mesh.Core.Leases;

namespace Mesh.Core.Routing;

// Gateway sessions: that they live, and what they hold.
public sealed partial class PoolState
{
    /// <summary>
    /// A gateway session lives. False when it is the session's first since this state knows it, or since it was forgotten for its silence: it
    /// must then <see cref="Announce"/> what it holds, for requests that came before may have hidden that it was gone. (Nothing is to be
    /// announced when it holds nothing.)
    /// </summary>
    public bool Heartbeat(GatewaySession session) => Greet(_reservations.Sessions.Touch(session, _clock.Now));

    /// <summary>
    /// Takes over the leases that a gateway holds from an earlier epoch, or from before it fell silent, under the ids that the gateway knows.
    /// What they were predicted to cost, and since when, counts as it did there. Idempotent: a lease that is live is left as it is. Leases of endpoints, and of peer regions, that the pool does not have are passed over. A session's calls
    /// must arrive in order: an announcement that overtakes a completion would bring the lease back.
    /// </summary>
    /// <returns>How many leases were taken over.</returns>
    public int Announce(GatewaySession session, ReadOnlySpan<HeldLease> held)
    {
        var timestamp = _clock.Now;
        var owner = _reservations.Sessions.Touch(session, timestamp);
        if (owner is null) return 0;
        Greet(owner);
        var now = _clock.SinceStart(timestamp);
        var adopted = 0;
        foreach (var lease in held)
        {
            if (lease.Region is not null)
            {
                if (_peers.TryFind(lease.Region, out var peer) && _reservations.TryAdopt(owner, peer, lease, now)) adopted++;
                continue;
            }

            if (_endpoints.TryFind(lease.Endpoint, out var endpoint) && _reservations.TryAdopt(owner, endpoint, lease, now)) adopted++;
        }

        _reservations.ResumeStreams(held, now);
        return adopted;
    }

    private static bool Greet(SessionState? session)
    {
        if (session is null) return false;
        var before = session.IsGreeted;
        session.IsGreeted = true;
        return before;
    }
}
