namespace Mesh.Core.Regions.Peers;

/// <summary>
/// What one peer may still send by what it was granted before. A report replaces the one before it only when it has got there, and what was sent by the older one
/// may come as late as a round trip after: until then the older limit may be used up, whatever the newer one says. Bounded; what does not fit is merged.
/// </summary>
internal sealed class GrantLedger
{
    private const int Most = 64;
    // Links jitter, and hosts have other things to do.
    private const double Lateness = 1.25;
    private static readonly TimeSpan LeastLateness = TimeSpan.FromMilliseconds(10);
    private readonly Entry[] _entries = new Entry[Most];
    private long _epoch;
    private int _count;

    /// <summary>Notes what a report grants.</summary>
    /// <param name="epoch">Epoch of the peer's requests that <paramref name="received"/> counts.</param>
    /// <param name="received">Requests that have come.</param>
    /// <param name="grantPreferred">Further ones that it may send to preferred backends.</param>
    /// <param name="grant">Further ones that it may send at all.</param>
    /// <param name="now">Now.</param>
    public void Add(long epoch, long received, double grantPreferred, double grant, TimeSpan now)
    {
        if (epoch != _epoch) (_epoch, _count) = (epoch, 0);
        if (_count > 0) _entries[_count - 1].ReplacedAt = now;
        if (_count == Most)
        {
            // The two oldest as one that holds as long as the younger and allows as much as either.
            ref var second = ref _entries[1];
            second.Preferred = Math.Max(second.Preferred, _entries[0].Preferred);
            second.All = Math.Max(second.All, _entries[0].All);
            _entries.AsSpan(1).CopyTo(_entries);
            _count--;
        }

        _entries[_count++] = new Entry { Preferred = received + grantPreferred, All = received + grant, ReplacedAt = TimeSpan.MaxValue };
    }

    /// <summary>Requests that may still come by what was granted.</summary>
    /// <param name="epoch">As for <see cref="Add"/>.</param>
    /// <param name="received">Requests that have come.</param>
    /// <param name="roundTrip">Round trip to the peer.</param>
    /// <param name="now">Now.</param>
    /// <returns>To preferred backends, and altogether.</returns>
    public (double Preferred, double All) Outstanding(long epoch, long received, TimeSpan roundTrip, TimeSpan now)
    {
        if (epoch != _epoch) return (0, 0);
        var way = roundTrip * Lateness + LeastLateness;
        var over = 0;
        while (over < _count && _entries[over].ReplacedAt != TimeSpan.MaxValue && _entries[over].ReplacedAt + way < now) over++;
        if (over > 0)
        {
            _entries.AsSpan(over, _count - over).CopyTo(_entries);
            _count -= over;
        }

        var (preferred, all) = (0.0, 0.0);
        foreach (ref readonly var entry in _entries.AsSpan(0, _count)) (preferred, all) = (Math.Max(preferred, entry.Preferred - received), Math.Max(all, entry.All - received));
        return (preferred, all);
    }

    private struct Entry
    {
        public double Preferred;
        public double All;
        public TimeSpan ReplacedAt;
    }
}
