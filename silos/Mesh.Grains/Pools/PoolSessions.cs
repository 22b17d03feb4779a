using Mesh.Core.Leases;
using Mesh.Engine;
using Mesh.Grains.Contracts;
using Mesh.Grains.Hosting;

namespace Mesh.Grains.Pools;

/// <summary>The gateway sessions that have announced themselves to one activation, by the number that it gave them. Not thread-safe.</summary>
internal sealed class PoolSessions(GrainOptions options)
{
    private readonly Dictionary<int, CallMemory> _byKey = [];
    private readonly Dictionary<GatewaySession, CallMemory> _bySession = [];
    private int _lastKey;

    public int Count => _byKey.Count;

    /// <summary>All of them, by their keys.</summary>
    public IEnumerable<CallMemory> All => _byKey.Values.OrderBy(c => c.Key);

    public bool HasWatchers
    {
        get
        {
            foreach (var calls in _byKey.Values)
            {
                if (calls.Watcher is not null) return true;
            }
            return false;
        }
    }

    public IEnumerable<IPoolWatcher> Watchers => _byKey.Values.Select(c => c.Watcher).OfType<IPoolWatcher>();

    public CallMemory? Find(int key) => _byKey.GetValueOrDefault(key);

    public CallMemory? Find(GatewaySession session) => _bySession.GetValueOrDefault(session);

    /// <summary>The session, new or known; null when there are too many.</summary>
    public CallMemory? FindOrAdd(GatewaySession session)
    {
        if (_bySession.TryGetValue(session, out var calls)) return calls;
        if (_byKey.Count >= options.Engine.Pool.MaxSessions) return null;
        calls = new CallMemory(session, ++_lastKey, options.AnswerMemory, options.MaxRememberedAnswers);
        _byKey.Add(calls.Key, calls);
        _bySession.Add(session, calls);
        return calls;
    }

    /// <summary>Takes a session over under the number that it had.</summary>
    public CallMemory Restore(SessionHandover session, TimeSpan now)
    {
        var calls = new CallMemory(session.Session, session.Key, options.AnswerMemory, options.MaxRememberedAnswers)
        {
            Sequence = session.Sequence,
            Watcher = session.Watcher,
            LastSeen = now,
        };
        calls.Trim(session.Settled, now);
        calls.Restore(session.Answers, now);
        _byKey.Add(calls.Key, calls);
        _bySession.Add(calls.Session, calls);
        _lastKey = Math.Max(_lastKey, calls.Key);
        return calls;
    }

    /// <summary>Forgets those that have been silent for as long as the pool's state allows.</summary>
    public void ForgetSilent(TimeSpan now, TimeSpan timeout)
    {
        List<CallMemory>? silent = null;
        foreach (var calls in _byKey.Values)
        {
            if (now - calls.LastSeen >= timeout) (silent ??= []).Add(calls);
        }

        if (silent is null) return;
        foreach (var calls in silent)
        {
            calls.LeaveAll();
            _byKey.Remove(calls.Key);
            _bySession.Remove(calls.Session);
        }
    }

    /// <summary>
    /// Tells the state of everybody who has been heard here since it heard of him last. One that it forgot while he lives would have its waiting calls
    /// forgotten there, and kept here, for ever.
    /// </summary>
    public void TellWhoLives(PoolHost host, TimeSpan now)
    {
        foreach (var calls in _byKey.Values)
        {
            if (calls.LastSeen <= calls.LastTold) continue;
            calls.LastTold = now;
            if (!host.Heartbeat(calls.Session)) calls.MustAnnounce = true;
        }
    }

    /// <summary>Every gateway is to say once more what it holds.</summary>
    public void AllMustAnnounce()
    {
        foreach (var calls in _byKey.Values) calls.MustAnnounce = true;
    }

    /// <summary>Ends every wait of every session.</summary>
    public void LeaveAll()
    {
        foreach (var calls in _byKey.Values) calls.LeaveAll();
    }
}
