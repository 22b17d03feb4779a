using Mesh.Core.Endpoints;
using Mesh.Core.SpillOver;

namespace Mesh.Core.Scheduling;

/// <summary>
/// The endpoints of highest weight for sessions that come again (<see cref="RendezvousHash"/>), remembered, so that only a session's first request takes a
/// look at every endpoint. What is remembered knows neither health nor load: it holds until the configuration, the tier, or its open backends
/// change. A session that another pushes out is found anew. Not thread-safe.
/// </summary>
internal sealed class SessionPlaces(EndpointTable endpoints)
{
    /// <summary>Endpoints from which it is worth remembering.</summary>
    public const int LeastEndpoints = 64;

    // The first that takes requests is the session's: that all of these should not is rare enough for a look at all.
    private const int Best = 4;
    private const int LeastSessions = 4096;
    private const int MostSessions = 1 << 18;
    private const int SessionsPerEndpoint = 4;
    private readonly List<int> _tier = [];
    private readonly ulong[] _weights = new ulong[Best];
    private Session[] _sessions = [];
    private int[] _places = [];
    private BackendTable? _backends;
    private int _version;

    /// <summary>
    /// Indexes among the configured endpoints, those of the open backends of the first usable tier, the highest weight first: at most four, fewer where there are no more.
    /// Valid until the next call.
    /// </summary>
    public ReadOnlySpan<int> Find(ulong key, BackendTable backends)
    {
        if (IsChanged(backends)) Begin(backends);
        var index = (int)(key * 0x9E3779B97F4A7C15 >> 32) & (_sessions.Length - 1);
        ref var session = ref _sessions[index];
        var places = _places.AsSpan(index * Best, Best);
        if (session.Key != key || session.Version != _version) session = new Session(key, _version, Rank(key, backends, places));
        return places[..session.Count];
    }

    private int Rank(ulong key, BackendTable backends, Span<int> places)
    {
        var hashes = endpoints.IdHashes;
        var count = 0;
        foreach (var backend in backends.Selector.FirstUsableTier())
        {
            if (!backends.Selector.IsOpen(backend)) continue;
            var range = backends.RangeOf(backend);
            for (var i = range.Start.Value; i < range.End.Value; i++)
            {
                var weight = RendezvousHash.Weight(hashes[i], key);
                if (count == Best && weight <= _weights[Best - 1]) continue;
                var at = count < Best ? count++ : Best - 1;
                for (; at > 0 && weight > _weights[at - 1]; at--) (_weights[at], places[at]) = (_weights[at - 1], places[at - 1]);
                (_weights[at], places[at]) = (weight, i);
            }
        }

        return count;
    }

    private bool IsChanged(BackendTable backends)
    {
        if (_backends != backends) return true;
        var tier = backends.Selector.FirstUsableTier();
        if (tier.Length != _tier.Count) return true;
        for (var i = 0; i < tier.Length; i++)
        {
            if (_tier[i] != Mark(backends, tier[i])) return true;
        }

        return false;
    }

    private void Begin(BackendTable backends)
    {
        _backends = backends;
        _version++;
        _tier.Clear();
        foreach (var backend in backends.Selector.FirstUsableTier()) _tier.Add(Mark(backends, backend));
        var sessions = LeastSessions;
        while (sessions < MostSessions && sessions < SessionsPerEndpoint * endpoints.Configured.Length) sessions *= 2;
        if (_sessions.Length < sessions) (_sessions, _places) = (new Session[sessions], new int[sessions * Best]);
    }

    private static int Mark(BackendTable backends, int backend) => backend << 1 | (backends.Selector.IsOpen(backend) ? 1 : 0);

    private readonly record struct Session(ulong Key, int Version, int Count);
}
