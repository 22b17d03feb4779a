using Mesh.Core.Endpoints;

namespace Mesh.Core.Sharding;

/// <summary>
/// Which endpoints one shard may place requests on now. What a new map takes from it, it may not use from that moment on; what the map gives to it, only once
/// the shard that had it has handed it over with all that is in flight there, or has had the time to: so two never place on one endpoint side by side, and
/// what one has placed counts with the other from the first request. Not thread-safe.
/// </summary>
/// <param name="shard">Number of the shard.</param>
/// <param name="patience">How long a former owner is waited for: one that has died hands nothing over, and by then the gateways have told what they hold.</param>
public sealed class ShardOwnership(int shard, TimeSpan patience)
{
    private readonly bool[] _arrived = new bool[ShardMap.Most];
    private TimeSpan _since;
    private bool _isOpen = true;

    /// <summary>The map in force here.</summary>
    public ShardMap Map { get; private set; } = ShardMap.Undivided;

    /// <summary>Number of the shard.</summary>
    public int Shard => shard;

    /// <summary>True when the map has no such shard (any more): it places nothing.</summary>
    public bool IsRetired => shard >= Map.Count;

    /// <summary>True while some endpoints are still awaited.</summary>
    public bool IsAwaiting => !_isOpen;

    /// <summary>Takes a newer map. False, and no effect, for one that is older, the same or not valid.</summary>
    public bool TryAdopt(ShardMap map, TimeSpan now)
    {
        if (!map.IsValid || map.Version <= Map.Version) return false;
        Map = map;
        Array.Clear(_arrived);
        _since = now;
        _isOpen = !map.IsMoving || IsRetired;
        return true;
    }

    /// <summary>A former owner has handed over what it had by the map before. False for another version than the map's.</summary>
    public bool TryTake(int from, long version)
    {
        if (version != Map.Version || from is < 0 or >= ShardMap.Most) return false;
        _arrived[from] = true;
        return true;
    }

    /// <summary>Lets time pass. True, once, when what has been awaited is not awaited any longer.</summary>
    public bool Tick(TimeSpan now)
    {
        if (_isOpen || now - _since < patience) return false;
        return _isOpen = true;
    }

    /// <summary>True when requests may be placed there from here.</summary>
    public bool Owns(EndpointId endpoint)
    {
        if (Map.OwnerOf(endpoint) != shard) return false;
        if (_isOpen) return true;
        var before = Map.OwnerBefore(endpoint);
        return before == shard || _arrived[before];
    }
}
