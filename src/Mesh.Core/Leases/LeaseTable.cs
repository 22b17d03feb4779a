using Mesh.Core.Endpoints;
using Mesh.Core.Regions.Peers;
using Mesh.Core.Scheduling.Cost;

namespace Mesh.Core.Leases;

/// <summary>
/// The leases of one pool, at most <c>maxLeases</c>. A lease id of this epoch is a slot and the slot's generation, so that it is found
/// without hashing and an id that was given back can never name the slot's next tenant. Leases that a gateway announces keep the id that
/// the gateway knows and are found through a dictionary. Each session's leases form a chain, so that a silent session costs only its own.
/// </summary>
internal sealed class LeaseTable(long epoch, int maxLeases)
{
    public const int NoSlot = -1;

    private readonly Dictionary<LeaseId, int> _adopted = [];
    private Slot[] _slots = [];
    private int _used;
    private int _firstFree = NoSlot;

    /// <summary>Leases outstanding.</summary>
    public int Count { get; private set; }

    public bool IsFull => Count >= maxLeases;

    /// <summary>Makes a lease; false when the table is full.</summary>
    public bool TryAdd(SessionState session, EndpointState endpoint, LeaseLoad load, out LeaseId id)
    {
        id = default;
        if (IsFull) return false;
        id = IdOf(Occupy(session, endpoint, null, load));
        return true;
    }

    /// <summary>Makes a lease on a peer region; false when the table is full.</summary>
    public bool TryAdd(SessionState session, Peer peer, LeaseLoad load, out LeaseId id)
    {
        id = default;
        if (IsFull) return false;
        id = IdOf(Occupy(session, null, peer, load));
        return true;
    }

    /// <summary>Takes over a lease under an id that this table did not make; false when the id is live already or the table is full.</summary>
    public bool TryAdopt(SessionState session, EndpointState endpoint, LeaseLoad load, LeaseId id, bool firstByteSeen) =>
        TryAdopt(session, endpoint, null, load, id, firstByteSeen);

    /// <summary>The same for a request that was forwarded to a peer region.</summary>
    public bool TryAdopt(SessionState session, Peer peer, LeaseLoad load, LeaseId id, bool firstByteSeen) => TryAdopt(session, null, peer, load, id, firstByteSeen);

    private bool TryAdopt(SessionState session, EndpointState? endpoint, Peer? peer, LeaseLoad load, LeaseId id, bool firstByteSeen)
    {
        if (IsFull || Find(id) != NoSlot) return false;
        var index = Occupy(session, endpoint, peer, load);
        ref var slot = ref _slots[index];
        slot.AdoptedAs = id;
        slot.FirstByteSeen = firstByteSeen;
        _adopted.Add(id, index);
        return true;
    }

    /// <summary>Notes the first byte, and says whose it is: an endpoint's or a peer's. False when the lease is unknown or had it already.</summary>
    public bool TryMarkFirstByte(LeaseId id, out EndpointState? endpoint, out Peer? peer, out LeaseLoad load)
    {
        (endpoint, peer, load) = (null, null, default);
        var index = Find(id);
        if (index == NoSlot || _slots[index].FirstByteSeen) return false;
        ref var slot = ref _slots[index];
        slot.FirstByteSeen = true;
        (endpoint, peer) = (slot.Endpoint, slot.Peer);
        load = slot.Load;
        return true;
    }

    /// <summary>Notes where the lease's stream began.</summary>
    public void SetStream(LeaseId id, StreamMark stream)
    {
        if (Find(id) is var index && index != NoSlot) _slots[index].Stream = stream;
    }

    /// <summary>True for a live lease at an endpoint whose answer has begun while its stream is not known.</summary>
    public bool AwaitsStream(LeaseId id, out EndpointState? endpoint)
    {
        var index = Find(id);
        endpoint = index == NoSlot ? null : _slots[index].Endpoint;
        return endpoint is not null && _slots[index].FirstByteSeen && _slots[index].Load.Streaming && !_slots[index].Stream.IsStream;
    }

    /// <summary>Ends a lease; false when it is unknown, ended or of an epoch that nobody announced.</summary>
    public bool TryTake(LeaseId id, out EndedLease ended)
    {
        var index = Find(id);
        if (index == NoSlot)
        {
            ended = default;
            return false;
        }

        ended = Vacate(index);
        return true;
    }

    /// <summary>Ends the first lease of a session; false when it holds none.</summary>
    public bool TryTakeFirst(SessionState session, out EndedLease ended)
    {
        if (session.FirstSlot == NoSlot)
        {
            ended = default;
            return false;
        }

        ended = Vacate(session.FirstSlot);
        return true;
    }

    /// <summary>Leases of a session, the youngest first. The table must not change while they are read.</summary>
    public IEnumerable<(LeaseId Id, EndpointState? Endpoint, Peer? Peer, LeaseLoad Load, bool FirstByteSeen, StreamMark Stream)> Of(SessionState session)
    {
        for (var index = session.FirstSlot; index != NoSlot; index = _slots[index].Next)
        {
            var slot = _slots[index];
            yield return (slot.AdoptedAs ?? new LeaseId(epoch, ((long)slot.Generation << 32) | (uint)index), slot.Endpoint, slot.Peer, slot.Load, slot.FirstByteSeen, slot.Stream);
        }
    }

    private int Find(LeaseId id)
    {
        if (id.Epoch == epoch)
        {
            var index = (uint)id.Sequence;
            if (index < (uint)_used)
            {
                ref var slot = ref _slots[index];
                if (slot.Session is not null && slot.AdoptedAs is null && slot.Generation == (int)(id.Sequence >> 32)) return (int)index;
            }
        }

        return _adopted.Count != 0 && _adopted.TryGetValue(id, out var adopted) ? adopted : NoSlot;
    }

    private LeaseId IdOf(int index) => new(epoch, ((long)_slots[index].Generation << 32) | (uint)index);

    private int Occupy(SessionState session, EndpointState? endpoint, Peer? peer, LeaseLoad load)
    {
        int index;
        if (_firstFree != NoSlot)
        {
            index = _firstFree;
            _firstFree = _slots[index].Next;
        }
        else
        {
            if (_used == _slots.Length) Array.Resize(ref _slots, Math.Min(maxLeases, Math.Max(64, _used * 2)));
            index = _used++;
        }

        ref var slot = ref _slots[index];
        slot.Generation = slot.Generation == int.MaxValue ? 1 : slot.Generation + 1;
        slot.Endpoint = endpoint;
        slot.Peer = peer;
        slot.Session = session;
        slot.Load = load;
        slot.FirstByteSeen = false;
        slot.Stream = default;
        slot.AdoptedAs = null;
        slot.Previous = NoSlot;
        slot.Next = session.FirstSlot;
        if (slot.Next != NoSlot) _slots[slot.Next].Previous = index;
        session.FirstSlot = index;
        session.LeaseCount++;
        Count++;
        return index;
    }

    private EndedLease Vacate(int index)
    {
        ref var slot = ref _slots[index];
        var session = slot.Session!;
        if (slot.Previous == NoSlot) session.FirstSlot = slot.Next;
        else _slots[slot.Previous].Next = slot.Next;
        if (slot.Next != NoSlot) _slots[slot.Next].Previous = slot.Previous;
        session.LeaseCount--;
        if (slot.AdoptedAs is { } adoptedAs) _adopted.Remove(adoptedAs);

        var ended = new EndedLease(slot.Endpoint, slot.Peer, slot.Load, slot.FirstByteSeen, slot.Stream);
        slot.Endpoint = null;
        slot.Peer = null;
        slot.Session = null;
        slot.Next = _firstFree;
        _firstFree = index;
        Count--;
        return ended;
    }

    private struct Slot
    {
        public EndpointState? Endpoint;
        public Peer? Peer;
        public SessionState? Session;
        public LeaseId? AdoptedAs;
        public LeaseLoad Load;
        public int Generation;
        public int Previous;
        public int Next;
        public StreamMark Stream;
        public bool FirstByteSeen;
    }
}

/// <summary>What a lease that has just ended held.</summary>
internal readonly struct EndedLease(EndpointState? endpoint, Peer? peer, LeaseLoad load, bool firstByteSeen, StreamMark stream)
{
    /// <summary>Endpoint that it was on; null for a request that was forwarded.</summary>
    public readonly EndpointState? Endpoint = endpoint;

    /// <summary>Peer that it was forwarded to; null for one of the own endpoints.</summary>
    public readonly Peer? Peer = peer;
    public readonly LeaseLoad Load = load;
    public readonly bool FirstByteSeen = firstByteSeen;
    public readonly StreamMark Stream = stream;
}
