using Mesh.Core.Endpoints;
using Mesh.Core.FlowControl;
using Mesh.Core.PrefixCache;
using Mesh.Core.Regions.Choosing;
using Mesh.Core.Scheduling;

namespace Mesh.Core.Routing;

/// <summary>Where a request should go, by all that the pool knows at this moment: an endpoint of this region, or a peer. Changes nothing that is placed. Not thread-safe.</summary>
internal sealed class Chooser(PoolClock clock, EndpointTable endpoints, ModelCatalog models, PrefixKnowledge prefixes, Reservations reservations)
{
    private readonly RegionalPlacer _regions = new(reservations.Peers);

    /// <summary>Set with every configuration.</summary>
    public required Placer Placer { get; set; }

    /// <summary>The best place.</summary>
    /// <param name="request">The request.</param>
    /// <param name="timestamp">The time.</param>
    /// <param name="now">The same since the pool's start.</param>
    /// <param name="overfill">True when it may go where all are at target.</param>
    public Placement Choose(in RouteRequest request, long timestamp, TimeSpan now, bool overfill)
    {
        var context = Context(in request, timestamp);
        return _regions.Place(in context, Placer, reservations.Backends, now, overfill);
    }

    /// <summary>
    /// The pool has changed while a request waited for an endpoint: is that still its place? Not if its backend gets no more requests at all. The request still stands in
    /// the queue.
    /// </summary>
    public Placement ChooseAgain(Waiter waiter, long timestamp, TimeSpan now)
    {
        var endpoint = waiter.Endpoint!;
        var request = waiter.Request;
        if (endpoint.BackendIndex < 0 || !reservations.Backends.Selector.IsOpen(endpoint.BackendIndex)) return Choose(in request, timestamp, now, overfill: true);
        var queuedMs = endpoint.Work.QueuedMs;
        EndpointQueues.TakeFromQueued(waiter, endpoint);
        var context = Context(in request, timestamp);
        var placement = Placer.PlaceAgain(in context, reservations.Backends, endpoint, now);
        endpoint.Work.QueuedMs = queuedMs;
        return placement;
    }

    /// <summary>A peer that answers a request sooner than the endpoint that it waits for; null when none does.</summary>
    public Placement? CheaperPeer(Waiter waiter, EndpointState endpoint, long timestamp, TimeSpan now)
    {
        var request = waiter.Request;
        var context = Context(in request, timestamp);
        // What stands before it in the queue is part of what it costs to stay.
        var staysMs = Placer.CostOfNext(in context, endpoint, now) + Math.Max(0, endpoint.Work.QueuedMs - waiter.OwnMs);
        return _regions.Cheaper(in context, Placer, staysMs, now);
    }

    /// <summary>What a request that is about to be placed can choose from. For people: it allocates.</summary>
    public DecisionFacts Explain(in RouteRequest request, long timestamp)
    {
        var context = Context(in request, timestamp);
        var facts = Placer.Explain(in context, reservations.Backends);
        return reservations.Peers.IsEmpty ? facts : facts.With(RegionExplainer.Explain(in context, Placer, reservations.Peers, clock.SinceStart(timestamp)));
    }

    private SchedulingContext Context(ref readonly RouteRequest request, long timestamp)
    {
        var holders = prefixes.Find(request.PrefixChain.Span);
        return new(in request, request.Model is null ? null : models.Find(request.Model), endpoints, clock.Freshness(timestamp), clock.FailureDecay(timestamp))
        {
            Holders = holders,
            HeldBlocks = holders is null ? prefixes.Match(request.PrefixChain.Span) : default,
            Layout = prefixes.Layout,
            Adapter = endpoints.Adapters.Find(request.Model),
            Costs = reservations.Costs,
            NowMs = clock.SinceStart(timestamp).TotalMilliseconds,
            FitsEverywhere = request.Subset.IsDefault && (request.Model is null || models.IsListedByAll(models.Find(request.Model))),
        };
    }
}
