using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Mesh.Core.Config;
using Mesh.Core.Scheduling.Cost;
using Mesh.Core.Scheduling.Cost.Adapters;

namespace Mesh.Core.Endpoints;

/// <summary>
/// The endpoints of one pool: those that the configuration names, in an order that depends on nothing but their ids, and those that it no
/// longer names but that still have leases.
/// </summary>
internal sealed class EndpointTable
{
    private readonly Dictionary<EndpointId, EndpointState> _byId = [];
    private readonly ModelCatalog _models;
    private readonly SortedSet<int> _freeSlots = [];
    private EndpointState[] _configured = [];
    private ulong[] _idHashes = [];
    private int[] _slots = [];
    private EndpointState[] _drained = [];
    private EndpointState?[] _bySlot = [];
    private long _lastMark;

    public EndpointTable(ModelCatalog models) => _models = models;

    /// <summary>Endpoints of the configuration that requests are placed on, ordered by backend and address.</summary>
    public ReadOnlySpan<EndpointState> Configured => _configured;

    /// <summary>Hashes of their ids, in the same order and side by side.</summary>
    public ReadOnlySpan<ulong> IdHashes => _idHashes;

    /// <summary>Their slots, in the same order.</summary>
    public ReadOnlySpan<int> Slots => _slots;

    /// <summary>Endpoints of the configuration that an operator drains, in the same order.</summary>
    public ReadOnlySpan<EndpointState> Drained => _drained;

    /// <summary>All endpoints, the draining ones included, in no order.</summary>
    public IEnumerable<EndpointState> All => _byId.Values;

    /// <summary>The rows that costs are made of, by slot.</summary>
    public CostTable Costs { get; } = new();

    /// <summary>LoRA adapters that some endpoint has named.</summary>
    public KnownAdapters Adapters { get; } = new();

    /// <summary>Where LoRA adapters are in a large pool; made when it is first asked for.</summary>
    public AdapterIndex AdapterPlaces => field ??= new AdapterIndex(this);

    /// <summary>The endpoint in a slot that has one.</summary>
    public EndpointState InSlot(int slot) => _bySlot[slot]!;

    /// <summary>Slots given out are below this.</summary>
    public int SlotCount { get; private set; }

    /// <summary>Called with an endpoint that is gone, before its slot is given to another.</summary>
    public Action<EndpointState>? Forgotten { get; set; }

    public bool TryFind(EndpointId id, [NotNullWhen(true)] out EndpointState? endpoint)
    {
        // A default id has no address, which a dictionary of strings would not take.
        if (id.Address is not null) return _byId.TryGetValue(id, out endpoint);
        endpoint = null;
        return false;
    }

    /// <summary>
    /// Takes a configuration: endpoints that it still names keep everything they have, new ones start empty, and removed ones drain until
    /// their last lease ends. Those that an operator drains keep everything too, and are placed on no more. An address that is named twice
    /// counts once, in its first backend.
    /// </summary>
    public void Reconfigure(PoolConfig config)
    {
        EndpointState[] before = [.. _configured, .. _drained];
        foreach (var endpoint in before)
        {
            endpoint.Draining = true;
            endpoint.Place(-1, 0, 1);
        }

        // Where nobody runs yet, nobody is new.
        var isRunning = Array.Exists(_configured, e => e.Health == EndpointHealth.Healthy);
        var configured = new List<EndpointState>();
        var drained = new List<EndpointState>();
        foreach (var backend in config.Backends.OrderBy(b => b.Id))
        {
            foreach (var declared in backend.Endpoints.OrderBy(e => e.Id))
            {
                var endpoint = Adopt(declared, backend, isRunning);
                if (endpoint is null) continue;
                endpoint.Drained = declared.Drained;
                (declared.Drained ? drained : configured).Add(endpoint);
            }
        }

        _configured = [.. configured];
        _idHashes = [.. configured.Select(e => e.IdHash)];
        _slots = [.. configured.Select(e => e.Slot)];
        _drained = [.. drained];
        foreach (var endpoint in before) ForgetIfDrained(endpoint);
    }

    /// <summary>Drops a draining endpoint once nothing is in flight there.</summary>
    public void ForgetIfDrained(EndpointState endpoint)
    {
        if (!endpoint.Draining || endpoint.InFlightRequests != 0) return;
        _models.Assign(endpoint, default);
        _byId.Remove(endpoint.Id);
        Forgotten?.Invoke(endpoint);
        Costs.Reset(endpoint.Slot);
        _bySlot[endpoint.Slot] = null;
        _freeSlots.Add(endpoint.Slot);
    }

    /// <summary>
    /// Marks the endpoints of a list and returns the mark, so that one pass over the candidates tells who is on the list, however long
    /// it is, without a set of its own.
    /// </summary>
    public long Mark(ImmutableArray<EndpointId> ids)
    {
        var mark = NextMark();
        foreach (var id in ids)
        {
            if (TryFind(id, out var endpoint)) endpoint.Mark = mark;
        }

        return mark;
    }

    /// <summary>A mark that no endpoint bears yet.</summary>
    public long NextMark() => ++_lastMark;

    private int TakeSlot()
    {
        if (_freeSlots.Count == 0) return SlotCount++;
        var slot = _freeSlots.Min;
        _freeSlots.Remove(slot);
        return slot;
    }

    private EndpointState? Adopt(EndpointConfig declared, BackendConfig backend, bool isRunning)
    {
        if (!_byId.TryGetValue(declared.Id, out var endpoint))
        {
            var slot = TakeSlot();
            Costs.Reset(slot);
            endpoint = new EndpointState(declared.Id, Costs, slot) { Backend = backend, PodName = declared.PodName, IsNewcomer = isRunning };
            if (slot >= _bySlot.Length) Array.Resize(ref _bySlot, Math.Max(16, _bySlot.Length * 2));
            _bySlot[slot] = endpoint;
            _byId.Add(declared.Id, endpoint);
            return endpoint;
        }

        // Not draining: this very configuration has named it before.
        if (!endpoint.Draining) return null;
        endpoint.Draining = false;
        endpoint.Backend = backend;
        endpoint.PodName = declared.PodName;
        return endpoint;
    }
}
