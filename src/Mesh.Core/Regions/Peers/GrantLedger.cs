namespace Mesh.Core.Regions.Peers;

/// <summary>
/// What one peer may still send by what it was granted before. A report replaces the one before it only when it has got there, and what was sent by the older one
/// may come as late as a round trip after: until then the older limit may be used up, whatever the newer one says. A limit on requests in flight is used anew
/// with every request that ends. Bounded; what does not fit is merged.
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
    /// <param name="told">What it grants.</param>
    /// <param name="isPreferredOnly">True when there are preferred backends only.</param>
    /// <param name="now">Now.</param>
    public void Add(in PeerGrant told, bool isPreferredOnly, TimeSpan now)
    {
        if (told.ReceivedEpoch != _epoch) (_epoch, _count) = (told.ReceivedEpoch, 0);
        if (_count > 0) _entries[_count - 1].ReplacedAt = now;
        if (_count == Most)
        {
            // The two oldest as one that holds as long as the younger and allows as much as either.
            ref var second = ref _entries[1];
            second.Preferred = Math.Max(second.Preferred, _entries[0].Preferred);
            second.All = Math.Max(second.All, _entries[0].All);
            second.WindowPreferred = Math.Max(second.WindowPreferred, _entries[0].WindowPreferred);
            second.Window = Math.Max(second.Window, _entries[0].Window);
            _entries.AsSpan(1).CopyTo(_entries);
            _count--;
        }

        _entries[_count++] = new Entry
        {
            Preferred = told.Received + told.GrantPreferred,
            All = told.Received + told.GrantPreferred + told.Grant,
            WindowPreferred = isPreferredOnly && told.Hosted is { } preferred ? preferred + told.GrantPreferred : double.NegativeInfinity,
            Window = told.Hosted is { } hosted ? hosted + told.GrantPreferred + told.Grant : double.NegativeInfinity,
            ReplacedAt = TimeSpan.MaxValue,
        };
    }

    /// <summary>Requests that may still come by what was granted.</summary>
    /// <param name="epoch">Epoch of the peer's requests that are counted.</param>
    /// <param name="received">Requests that have come.</param>
    /// <param name="hosted">Requests of it that are in flight here.</param>
    /// <param name="roundTrip">Round trip to the peer.</param>
    /// <param name="now">Now.</param>
    /// <returns>To preferred backends, and altogether.</returns>
    public (double Preferred, double All) Outstanding(long epoch, long received, int hosted, TimeSpan roundTrip, TimeSpan now)
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
        foreach (ref readonly var entry in _entries.AsSpan(0, _count))
        {
            preferred = Math.Max(preferred, Math.Max(entry.Preferred - received, entry.WindowPreferred - hosted));
            all = Math.Max(all, Math.Max(entry.All - received, entry.Window - hosted));
        }

        return (preferred, all);
    }

    private struct Entry
    {
        public double Preferred;
        public double All;
        public double WindowPreferred;
        public double Window;
        public TimeSpan ReplacedAt;
    }
}
