using System.Numerics;

namespace Mesh.Core.PrefixCache.Exact;

/// <summary>
/// Which bit of the rows is whose. Columns stand in the order of the endpoints' slots as far as they can, in whatever order the feeds come: an endpoint's ranks side
/// by side, as many for each, so that a range of slots is a range of columns. Not thread-safe.
/// </summary>
internal sealed class FeedColumns
{
    // Ranks beyond 64 are not kept side by side.
    private const int MostShift = 6;

    private readonly List<CacheFeed?> _feeds = [];
    private readonly int[] _misplaced = new int[MostShift + 1];
    private ulong[] _live = [];
    private int _leastShift;

    /// <summary>Columns are below this.</summary>
    public int Count => _feeds.Count;

    /// <summary>The feed of a column; null for none.</summary>
    public CacheFeed? this[int column] => _feeds[column];

    /// <summary>A bit for each column that has a feed.</summary>
    public ReadOnlySpan<ulong> Live => _live.AsSpan(0, (_feeds.Count + 63) / 64);

    /// <summary>Columns of a slot are <c>slot · 2^shift</c> and those after it, up to the next slot's; −1 when some are elsewhere.</summary>
    public int Shift { get; private set; }

    /// <summary>Feeds expected of each endpoint; holds for those that come.</summary>
    public void SetRanks(int ranks)
    {
        _leastShift = Math.Min(MostShift, BitOperations.Log2(BitOperations.RoundUpToPowerOf2((uint)Math.Max(1, ranks))));
        FindShift();
    }

    /// <summary>The next column after one, round and round, that has a feed; −1 when none has.</summary>
    public int After(int column)
    {
        for (var i = 0; i <= Live.Length; i++)
        {
            // The first word without what lies behind, and again with it after all others.
            var word = ((column >> 6) + i) % Live.Length;
            var bits = Live[word] & (i == 0 ? ~(ulong.MaxValue >> (63 - (column & 63))) : ulong.MaxValue);
            if (bits != 0) return (word << 6) + BitOperations.TrailingZeroCount(bits);
        }

        return -1;
    }

    /// <summary>Columns among which all of a slot are: from the first to the end, exclusive.</summary>
    public (int First, int End) Near(int slot) => Shift < 0 ? (0, Count) : (slot << Shift, Math.Min(Count, (slot + 1) << Shift));

    /// <summary>Gives a feed its column.</summary>
    public CacheFeed Add(int slot)
    {
        var column = Place(slot);
        while (_feeds.Count <= column) _feeds.Add(null);
        if (_live.Length * 64 < _feeds.Count) Array.Resize(ref _live, Math.Max(4, Math.Max((_feeds.Count + 63) / 64, _live.Length * 2)));
        var feed = new CacheFeed(column, slot);
        _feeds[column] = feed;
        _live[column >> 6] |= 1UL << column;
        Tally(feed, 1);
        return feed;
    }

    /// <summary>A feed has ended.</summary>
    public void Remove(CacheFeed feed)
    {
        _feeds[feed.Column] = null;
        _live[feed.Column >> 6] &= ~(1UL << feed.Column);
        Tally(feed, -1);
    }

    private int Place(int slot)
    {
        var shift = Shift < 0 ? _leastShift : Shift;
        var own = slot << shift;
        for (var column = own; column < own + (1 << shift); column++)
        {
            if (column >= _feeds.Count || _feeds[column] is null) return column;
        }

        var free = _feeds.IndexOf(null);
        return free < 0 ? _feeds.Count : free;
    }

    private void Tally(CacheFeed feed, int sign)
    {
        for (var shift = 0; shift <= MostShift; shift++)
        {
            if (feed.Column >> shift != feed.Slot) _misplaced[shift] += sign;
        }

        FindShift();
    }

    private void FindShift()
    {
        Shift = _leastShift;
        while (Shift <= MostShift && _misplaced[Shift] > 0) Shift++;
        if (Shift > MostShift) Shift = -1;
    }
}
