using System.Numerics;
using System.Runtime.InteropServices;

namespace Mesh.Core.PrefixCache.Exact;

/// <summary>
/// How many leading blocks of a prompt each feed's endpoint holds, found block after block from the bits of those who hold it: few that drop out at a
/// block are listed, many are kept as the bits that they are. So the work is a word for 64 feeds and block while many hold the prompt, and no
/// more than a few bits from there on. Not thread-safe; buffers grow with the feeds and the blocks at which many drop out, and are used again.
/// </summary>
internal sealed class LeadingBlocks
{
    private const int MostFew = 16;
    private readonly int[] _few = new int[MostFew];
    private readonly List<ulong[]> _groups = [];
    private readonly List<int> _groupBlocks = [];
    private ulong[] _alive = [];

    // By column, of those that are listed; 0 for the others.
    private int[] _held = [];
    private ulong[] _isListed = [];
    private int[] _listed = new int[MostFew];
    private int _listedCount;
    private int _groupCount;
    private int _words;
    private int _aliveCount;
    private bool _areFew;

    /// <summary>True when nobody holds all blocks so far.</summary>
    public bool IsEmpty => _aliveCount == 0;

    /// <summary>Begins with a prompt.</summary>
    /// <param name="feeds">A bit for each feed.</param>
    public void Start(ReadOnlySpan<ulong> feeds)
    {
        foreach (var column in _listed.AsSpan(0, _listedCount)) (_held[column], _isListed[column >> 6]) = (0, 0);
        (_listedCount, _groupCount) = (0, 0);
        _words = feeds.Length;
        if (_alive.Length < _words) (_alive, _held, _isListed) = (new ulong[_words], new int[_words * 64], new ulong[_words]);
        feeds.CopyTo(_alive);
        _areFew = false;
        Count();
    }

    /// <summary>The next block: those who do not hold it drop out with the blocks before it.</summary>
    /// <param name="holders">Who holds it.</param>
    /// <param name="others">Who holds it, too; empty for nobody.</param>
    /// <param name="blocks">Blocks before it.</param>
    public void Keep(ReadOnlySpan<ulong> holders, ReadOnlySpan<ulong> others, int blocks)
    {
        if (_areFew) KeepFew(holders, others, blocks);
        else if (Lost(holders, others) is > 0 and var lost) KeepMany(holders, others, blocks, lost);
    }

    /// <summary>There are no more blocks to look at: those who are left hold all.</summary>
    public void End(int blocks)
    {
        if (_areFew) KeepFew([], [], blocks);
        else if (_aliveCount > 0) KeepMany([], [], blocks, _aliveCount);
    }

    /// <summary>Blocks of a feed.</summary>
    public int Of(int column)
    {
        if (_held[column] is > 0 and var held) return held;
        for (var group = _groupCount - 1; group >= 0; group--)
        {
            if ((_groups[group][column >> 6] >> column & 1) != 0) return _groupBlocks[group];
        }

        return 0;
    }

    /// <summary>The most blocks of one of these feeds.</summary>
    /// <param name="first">First column, a multiple of their number.</param>
    /// <param name="count">How many, a power of two.</param>
    public int Most(int first, int count)
    {
        var most = 0;
        for (var group = _groupCount - 1; group >= 0 && most == 0; group--)
        {
            if (HasAny(_groups[group], first, count)) most = _groupBlocks[group];
        }

        if (!HasAny(_isListed, first, count)) return most;
        foreach (var column in _listed.AsSpan(0, _listedCount))
        {
            if (column >= first && column < first + count) most = Math.Max(most, _held[column]);
        }

        return most;
    }

    private bool HasAny(ulong[] bits, int first, int count)
    {
        var word = first >> 6;
        if (word >= _words) return false;
        if (count <= 64) return (bits[word] >> first & (ulong.MaxValue >> (64 - count))) != 0;
        return bits.AsSpan(word, Math.Min(_words - word, count >> 6)).ContainsAnyExcept(0UL);
    }

    private void KeepFew(ReadOnlySpan<ulong> holders, ReadOnlySpan<ulong> others, int blocks)
    {
        for (var i = _aliveCount - 1; i >= 0; i--)
        {
            var column = _few[i];
            if ((Holders(holders, others, column >> 6) >> column & 1) != 0) continue;
            List(column, blocks);
            _few[i] = _few[--_aliveCount];
        }
    }

    private void KeepMany(ReadOnlySpan<ulong> holders, ReadOnlySpan<ulong> others, int blocks, int lost)
    {
        var group = blocks > 0 && lost > MostFew ? AddGroup(blocks) : null;
        for (var word = 0; word < _words; word++)
        {
            var held = Holders(holders, others, word);
            var gone = _alive[word] & ~held;
            _alive[word] &= held;
            if (group is not null) group[word] = gone;
            else
            {
                for (; gone != 0; gone &= gone - 1) List((word << 6) + BitOperations.TrailingZeroCount(gone), blocks);
            }
        }

        Count();
    }

    // How many of those who held all before do not hold this one.
    private int Lost(ReadOnlySpan<ulong> holders, ReadOnlySpan<ulong> others)
    {
        var alive = _alive.AsSpan(0, _words);
        if (others.IsEmpty && IsSubset(alive, holders)) return 0;
        var lost = 0;
        for (var word = 0; word < alive.Length; word++) lost += BitOperations.PopCount(alive[word] & ~Holders(holders, others, word));
        return lost;
    }

    private static bool IsSubset(ReadOnlySpan<ulong> alive, ReadOnlySpan<ulong> holders)
    {
        var some = MemoryMarshal.Cast<ulong, Vector<ulong>>(alive);
        var all = MemoryMarshal.Cast<ulong, Vector<ulong>>(holders[..alive.Length]);
        var lost = Vector<ulong>.Zero;
        for (var i = 0; i < some.Length; i++) lost |= Vector.AndNot(some[i], all[i]);
        if (lost != Vector<ulong>.Zero) return false;
        for (var word = some.Length * Vector<ulong>.Count; word < alive.Length; word++)
        {
            if ((alive[word] & ~holders[word]) != 0) return false;
        }

        return true;
    }

    private void Count()
    {
        _aliveCount = 0;
        foreach (var word in _alive.AsSpan(0, _words)) _aliveCount += BitOperations.PopCount(word);
        if (_aliveCount > MostFew) return;
        _areFew = true;
        var next = 0;
        for (var word = 0; word < _words; word++)
        {
            for (var bits = _alive[word]; bits != 0; bits &= bits - 1) _few[next++] = (word << 6) + BitOperations.TrailingZeroCount(bits);
        }
    }

    private ulong[] AddGroup(int blocks)
    {
        if (_groupCount == _groups.Count)
        {
            _groups.Add([]);
            _groupBlocks.Add(0);
        }

        if (_groups[_groupCount].Length < _words) _groups[_groupCount] = new ulong[_alive.Length];
        _groupBlocks[_groupCount] = blocks;
        return _groups[_groupCount++];
    }

    private void List(int column, int blocks)
    {
        if (blocks == 0) return;
        if (_listedCount == _listed.Length) Array.Resize(ref _listed, 2 * _listedCount);
        _listed[_listedCount++] = column;
        _held[column] = blocks;
        _isListed[column >> 6] |= 1UL << column;
    }

    private static ulong Holders(ReadOnlySpan<ulong> holders, ReadOnlySpan<ulong> others, int word) =>
        (holders.IsEmpty ? 0 : holders[word]) | (others.IsEmpty ? 0 : others[word]);
}
