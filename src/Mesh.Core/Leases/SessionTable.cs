namespace Mesh.Core.Leases;

/// <summary>
/// The gateway sessions that a pool knows, at most <c>maxSessions</c>. Any call of a session is a sign of life; one that has been silent
/// for the time-out is handed to the caller to be forgotten. The list keeps the order of first contact, so that expiry is deterministic.
/// </summary>
internal sealed class SessionTable(long timeoutTicks, int maxSessions)
{
    private readonly Dictionary<GatewaySession, SessionState> _byId = [];
    private readonly List<SessionState> _inOrder = [];

    public int Count => _inOrder.Count;

    /// <summary>Every session, in the order of first contact.</summary>
    public IReadOnlyList<SessionState> All => _inOrder;

    /// <summary>The session; null when it is not known.</summary>
    public SessionState? Find(GatewaySession id) => _byId.GetValueOrDefault(id);

    /// <summary>The session, marked as alive; null when it is new and the table is full.</summary>
    public SessionState? Touch(GatewaySession id, long now)
    {
        if (!_byId.TryGetValue(id, out var session))
        {
            if (_inOrder.Count >= maxSessions) return null;
            session = new SessionState(id);
            _byId.Add(id, session);
            _inOrder.Add(session);
        }

        session.LastSeen = now;
        return session;
    }

    /// <summary>The next session that has been silent for too long, taken out of the table; null when there is none.</summary>
    public SessionState? TakeSilent(long now)
    {
        for (var i = 0; i < _inOrder.Count; i++)
        {
            var session = _inOrder[i];
            if (now - session.LastSeen < timeoutTicks) continue;
            _inOrder.RemoveAt(i);
            _byId.Remove(session.Id);
            return session;
        }

        return null;
    }

    /// <summary>Ticks until the first session would fall silent; null when no session is known.</summary>
    public long? TicksUntilNext(long now)
    {
        long? least = null;
        foreach (var session in _inOrder)
        {
            var left = Math.Max(0, session.LastSeen + timeoutTicks - now);
            if (least is null || left < least) least = left;
        }

        return least;
    }
}
