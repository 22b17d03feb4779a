using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Leases;
using Mesh.Core.Routing;
using Mesh.Core.Sharding;
using Mesh.Grains.Contracts;

namespace Mesh.Grains.Gateways;

/// <summary>What the link has to know of its being one of several: whose endpoint is whose, and how full its shard is.</summary>
internal sealed partial class PoolLink
{
    private readonly PoolShards _shards;
    private ShardMap _map;
    private long _versionBefore;
    private bool _isRetired;
    private ShardState _told;
    private int _ownWhenTold;

    /// <summary>Number of the shard.</summary>
    public int Shard { get; }

    /// <summary>How full it is: what it told last, and what this gateway has added since. Without endpoints while it does not answer.</summary>
    public ShardLoad LoadNow
    {
        get
        {
            // Read without the lock: a figure that is a request off does no harm.
            if (_isLost || !_isAnnounced) return new ShardLoad(_held.Count + _open.Count, 0);
            return new ShardLoad(_told.Requests + _held.Count + _open.Count - _ownWhenTold, _told.Endpoints);
        }
    }

    /// <summary>Another map is in force: gives away what is held of endpoints that are another shard's now.</summary>
    /// <param name="map">The map.</param>
    /// <param name="config">The part of the pool that is the shard's now.</param>
    /// <param name="moving">Takes what is given away.</param>
    public void TakeMap(ShardMap map, PoolConfig config, List<HeldLease> moving)
    {
        lock (_gate)
        {
            _versionBefore = _map.Version;
            _map = map;
            var from = moving.Count;
            foreach (var held in _held.Values)
            {
                // What is with another region stays where it was sent from, as long as that is there.
                if (held.Lease.Region is null ? map.OwnerOf(held.Lease.Endpoint) != Shard : Shard >= map.Count) moving.Add(held.ToHeld(_services.Time));
            }
            for (var i = from; i < moving.Count; i++) _held.Remove(moving[i].Lease);
        }
        Reconfigure(config);
    }

    /// <summary>Takes what another link held: the shard is told, if it has not heard from the one that had the endpoint.</summary>
    public void TakeHeld(ReadOnlySpan<HeldLease> held)
    {
        lock (_gate)
        {
            foreach (var lease in held) _held[lease.Lease] = Holding.From(in lease, _services.Time);
            _isAnnounced = false;
        }
        Send();
    }

    /// <summary>The shard is no more: whoever waits with it is asked elsewhere.</summary>
    public void Retire()
    {
        Ask[] open;
        lock (_gate)
        {
            (_isRetired, _isClosed) = (true, true);
            open = [.. _open.Values];
        }

        foreach (var ask in open) Move(ask);
        _standIn?.Close();
        _view.Close();
        _feedbackTimer.Dispose();
    }

    /// <summary>A request that the shard sent on has been placed elsewhere, or was refused there.</summary>
    public void EndForwarded(LeaseId lease, OutcomeKind outcome)
    {
        lock (_gate) _outbox.Add(new FeedbackItem { Kind = FeedbackKind.Complete, Lease = lease, Outcome = outcome });
        Send();
    }

    // Whatever this shard has reserved for it, or still would, is free.
    private void Move(Ask ask)
    {
        lock (_gate)
        {
            if (!ask.TryEnd()) return;
            _open.Remove(ask.Number);
            if (ask.WasAsked && !_isRetired) _outbox.Add(new FeedbackItem { Kind = FeedbackKind.Cancel, Lease = new LeaseId(0, ask.Number) });
        }

        ask.Move();
        Send();
    }

    // Under the lock. A placement by an older map counts where the endpoint has not changed hands since: else its new shard has been told, or will be, that
    // nobody holds the lease.
    private bool Accepts(EndpointId endpoint, long version) =>
        version >= _map.Version || (version >= _versionBefore && _map.OwnerOf(endpoint) == Shard && _map.OwnerBefore(endpoint) == Shard);

    // Not under the lock: the map may concern all links.
    private void Note(ShardState state)
    {
        if (state.Map.Version == 0) return;
        lock (_gate) (_told, _ownWhenTold) = (state, _held.Count + _open.Count);
        if (state.Map.Version > _shards.Map.Version) _shards.Take(state.Map.ToMap());
    }
}
