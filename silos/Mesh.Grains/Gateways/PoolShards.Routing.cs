using Mesh.Core.Routing;
using Mesh.Core.Sharding;

namespace Mesh.Grains.Gateways;

/// <summary>How a request finds its shard, and goes on from there where it has to.</summary>
internal sealed partial class PoolShards
{
    // A request that is sent to and fro by maps that change has seen every shard several times by then.
    private const int MostSteps = 4 * ShardMap.Most;

    public ValueTask<RouteDecision> RouteAsync(in RouteRequest request, CancellationToken cancellationToken)
    {
        var now = _now;
        var shard = now.Links.Length == 1 ? 0 : Choose(in request, now);
        if (now.Links.Length > 1 && request.OriginRegion is not null) return PlaceForPeerAsync(request, shard, cancellationToken);
        var ask = now.Links[shard].Route(in request, cancellationToken);
        return ask.Task is { IsCompletedSuccessfully: true, Result: { Kind: RouteKind.Send } decision } && !ask.IsMoved
            ? new ValueTask<RouteDecision>(decision)
            : FollowAsync(ask, now.Links[shard], cancellationToken);
    }

    private async ValueTask<RouteDecision> FollowAsync(Ask ask, PoolLink link, CancellationToken cancellationToken)
    {
        var tried = 0u;
        RouteDecision? refused = null;
        for (var steps = 0; ; steps++)
        {
            var decision = await ask.Task.ConfigureAwait(false);
            var next = link;
            var request = ask.Request;
            if (ask.IsMoved)
            {
                // :: The shard is no more, or the endpoint that it chose is another's.
                if (steps >= MostSteps) return RouteDecision.Refuse(DecisionReason.EngineUnreachable, TimeSpan.FromSeconds(1));
                next = Find(in request);
            }
            else if (decision.Kind == RouteKind.Forward && ShardName.TryParse(decision.Region, out var other))
            {
                // :: The shard sends it on to another that has more room: placed there, or back with the word that it was in vain.
                var placed = await ForwardAsync(request, decision, link, other, cancellationToken).ConfigureAwait(false);
                if (placed is { } there) return there;
                request = request with { ExcludedRegions = request.ExcludedRegions.IsDefault ? [decision.Region!] : request.ExcludedRegions.Add(decision.Region!) };
            }
            else if (decision.Kind == RouteKind.Refuse && _now.Links.Length > 1 && request.OriginRegion is null && IsForWantOfEndpoints(decision.Reason))
            {
                // :: None of the shard's own endpoints can take it; another shard's may.
                tried |= 1u << link.Shard;
                refused = Telling(refused, decision);
                if (steps >= MostSteps || Untried(tried) is not { } untried) return refused.Value;
                next = untried;
            }
            else
            {
                return decision;
            }

            link = next;
            ask = link.Route(in request, cancellationToken);
        }
    }

    /// <summary>
    /// A request from another region is asked of one shard after the other until one has room, the first by its prompt, the others by how much room they seem to have:
    /// it is refused only where none has any. None of them sends it on.
    /// </summary>
    private async ValueTask<RouteDecision> PlaceForPeerAsync(RouteRequest request, int first, CancellationToken cancellationToken)
    {
        var (tried, next) = (0u, first);
        for (var steps = 0; steps < MostSteps; steps++)
        {
            var links = _now.Links;
            // The map may have changed meanwhile.
            if (next >= links.Length) next = 0;
            tried |= 1u << next;
            var after = Emptiest(links, tried);
            var sent = request with { IsTentative = after >= 0 };
            var ask = links[next].Route(in sent, cancellationToken);
            var decision = await ask.Task.ConfigureAwait(false);
            if (ask.IsMoved) (tried, next) = (0, Find(in request).Shard);
            else if (decision.Kind != RouteKind.Refuse || after < 0) return decision;
            else next = after;
        }

        return RouteDecision.Refuse(DecisionReason.EngineUnreachable, TimeSpan.FromSeconds(1));
    }

    private static int Emptiest(PoolLink[] links, uint tried)
    {
        var (emptiest, least) = (-1, double.PositiveInfinity);
        for (var shard = 0; shard < links.Length; shard++)
        {
            // One without endpoints, or that does not answer, would only keep the peer waiting.
            if ((tried & (1u << shard)) != 0 || links[shard].LoadNow is not { Endpoints: > 0 } load || load.PerEndpoint >= least) continue;
            (emptiest, least) = (shard, load.PerEndpoint);
        }

        return emptiest;
    }

    private async ValueTask<RouteDecision?> ForwardAsync(RouteRequest request, RouteDecision forward, PoolLink from, int to, CancellationToken cancellationToken)
    {
        var now = _now;
        var outcome = OutcomeKind.NotSent;
        try
        {
            if (to >= now.Links.Length) return null;
            var sent = request with { OriginRegion = ShardName.Of(from.Shard), OriginEpoch = forward.OriginEpoch, OriginReason = forward.Reason, Hops = 1 };
            var ask = now.Links[to].Route(in sent, cancellationToken);
            var decision = await ask.Task.ConfigureAwait(false);
            if (ask.IsMoved) return null;
            outcome = decision.Kind == RouteKind.Send ? OutcomeKind.Success : OutcomeKind.PeerRefused;
            return decision.Kind == RouteKind.Send ? decision : null;
        }
        finally
        {
            // What the request holds is held where it was placed; the lease of the sending on has done its service.
            from.EndForwarded(forward.Lease, outcome);
        }
    }

    // A shard that has no endpoints of its own says so, which is nothing to a client.
    private static RouteDecision Telling(RouteDecision? before, RouteDecision now) =>
        before is { } known && now.Reason is DecisionReason.NoEndpoints or DecisionReason.NoReadyEndpoint ? known : now;

    private PoolLink Find(in RouteRequest request)
    {
        var now = _now;
        return now.Links[now.Links.Length == 1 ? 0 : Choose(in request, now)];
    }

    private PoolLink? Untried(uint tried)
    {
        foreach (var link in _now.Links)
        {
            if ((tried & (1u << link.Shard)) == 0) return link;
        }
        return null;
    }

    private int Choose(in RouteRequest request, Division now)
    {
        var map = now.Map;
        if (request.AffinityEndpoint.Address is not null) return map.OwnerOf(request.AffinityEndpoint);
        if (!request.Subset.IsDefaultOrEmpty) return OwnerOfMost(in request, map);

        Span<ShardLoad> loads = stackalloc ShardLoad[ShardMap.Most];
        for (var shard = 0; shard < now.Links.Length; shard++) loads[shard] = now.Links[shard].LoadNow;
        if (request.AffinityKey != 0)
        {
            // A session keeps its shard whatever the load, as it keeps its endpoint.
            var (first, second) = map.CandidatesFor(request.AffinityKey);
            return loads[first].Endpoints > 0 || loads[second].Endpoints == 0 ? first : second;
        }
        var chain = request.PrefixChain.Span;
        return ShardLoad.Choose(map, chain.IsEmpty ? (ulong)Interlocked.Increment(ref _counter) : chain[0], loads[..now.Links.Length]);
    }

    private static int OwnerOfMost(in RouteRequest request, ShardMap map)
    {
        Span<int> counts = stackalloc int[ShardMap.Most];
        var most = 0;
        foreach (var endpoint in request.Subset)
        {
            var owner = map.OwnerOf(endpoint);
            if (++counts[owner] > counts[most]) most = owner;
        }
        return most;
    }

    private static bool IsForWantOfEndpoints(DecisionReason reason) => reason is
        DecisionReason.NoEndpoints or DecisionReason.NoReadyEndpoint or DecisionReason.UnknownModel or DecisionReason.AllAttemptsFailed
        or DecisionReason.EngineUnreachable or DecisionReason.TooManyLeases;
}
