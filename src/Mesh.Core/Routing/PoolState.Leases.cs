using System.Collections.Immutable;
using Mesh.Core.Endpoints;
using Mesh.Core.Leases;
using Mesh.Core.Snapshots;

namespace Mesh.Core.Routing;

// Which leases are out, for those who ask.
public sealed partial class PoolState
{
    /// <summary>Leases that are out, session by session in the order of first contact, the youngest of a session first. Costs a look at each lease until enough are found.</summary>
    /// <param name="endpoint">Only those at this endpoint; null for all.</param>
    /// <param name="session">Only those of this session; null for all.</param>
    /// <param name="limit">At most so many, at least 1.</param>
    public ImmutableArray<LeaseSnapshot> Leases(EndpointId? endpoint, GatewaySession? session, int limit)
    {
        var found = ImmutableArray.CreateBuilder<LeaseSnapshot>();
        var now = _clock.SinceStart(_clock.Now);
        foreach (var holder in _reservations.Sessions.All)
        {
            if (session is { } wanted && holder.Id != wanted) continue;
            foreach (var (id, at, peer, load, firstByteSeen, stream) in _reservations.Leases.Of(holder))
            {
                if (found.Count >= limit) return found.ToImmutable();
                if (endpoint is { } place && at?.Id != place) continue;
                found.Add(new LeaseSnapshot
                {
                    Id = id,
                    Pool = Id,
                    Endpoint = at?.Id ?? default,
                    Region = peer?.Region,
                    OriginRegion = load.Origin?.Region,
                    Session = holder.Id,
                    Age = TimeSpan.FromMilliseconds(Math.Max(0, now.TotalMilliseconds - load.SentMs)),
                    PromptTokens = load.PromptTokens,
                    OutputTokens = load.OutputTokens,
                    CachedTokens = load.CachedTokens,
                    Adapter = load.Adapter,
                    FirstByteSeen = firstByteSeen,
                    FirstByteAge = TimeSpan.FromMilliseconds(stream.IsStream ? Math.Max(0, now.TotalMilliseconds - stream.BegunMs) : 0),
                    IsWhole = !load.Streaming,
                    Work = new LeaseWork((float)load.OwnMs, (float)Math.Max(0, load.BusyUntilMs - load.SentMs)),
                });
            }
        }

        return found.ToImmutable();
    }

    private ImmutableArray<SessionSnapshot> Sessions()
    {
        var now = _clock.Now;
        return [.. _reservations.Sessions.All.Select(s => new SessionSnapshot(s.Id, s.LeaseCount, _clock.Elapsed(s.LastSeen, now)))];
    }
}
