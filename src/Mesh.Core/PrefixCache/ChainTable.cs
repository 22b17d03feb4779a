namespace Mesh.Core.PrefixCache;

/// <summary>
/// A hash table from a 64-bit key to an index, of a fixed size chosen at construction: no pause to grow, a hard bound on memory. Linear
/// probing with backward-shift deletion, so that it does not slow down with age.
/// </summary>
internal sealed class ChainTable
{
    private readonly ulong[] _keys;
    private readonly int[] _values;
    private readonly int _mask;
    private readonly int _shift;

    /// <summary>Makes room for <paramref name="capacity"/> keys at a load of at most 2/3.</summary>
    public ChainTable(int capacity)
    {
        var bits = 4;
        while ((1L << bits) * 2 / 3 < capacity) bits++;
        _keys = new ulong[1 << bits];
        _values = new int[1 << bits];
        _mask = (1 << bits) - 1;
        _shift = 64 - bits;
    }

    public int Count { get; private set; }

    public long Bytes => _keys.LongLength * (sizeof(ulong) + sizeof(int));

    /// <summary>The index stored under <paramref name="key"/>, or −1.</summary>
    public int Find(ulong key)
    {
        for (var slot = Home(key); ; slot = (slot + 1) & _mask)
        {
            // Values are stored one higher, so that 0 means an empty slot.
            var value = _values[slot];
            if (value == 0) return -1;
            if (_keys[slot] == key) return value - 1;
        }
    }

    /// <summary>Stores a key that is not there yet. The caller keeps within the capacity.</summary>
    public void Add(ulong key, int value)
    {
        var slot = Home(key);
        while (_values[slot] != 0) slot = (slot + 1) & _mask;
        _keys[slot] = key;
        _values[slot] = value + 1;
        Count++;
    }

    /// <summary>Points a key that is there to another index.</summary>
    public void Replace(ulong key, int value)
    {
        var slot = Home(key);
        while (_keys[slot] != key || _values[slot] == 0) slot = (slot + 1) & _mask;
        _values[slot] = value + 1;
    }

    /// <summary>Takes out a key that is there.</summary>
    public void Remove(ulong key)
    {
        var hole = Home(key);
        while (_keys[hole] != key || _values[hole] == 0) hole = (hole + 1) & _mask;
        for (var next = (hole + 1) & _mask; _values[next] != 0; next = (next + 1) & _mask)
        {
            // An entry may fill the hole unless its home lies behind the hole.
            if (((next - Home(_keys[next])) & _mask) < ((next - hole) & _mask)) continue;
            _keys[hole] = _keys[next];
            _values[hole] = _values[next];
            hole = next;
        }
        _values[hole] = 0;
        Count--;
    }

    // Fibonacci hashing: keys are hashes already, but pairs of small numbers are not.
    private int Home(ulong key) => (int)((key * 0x9E3779B97F4A7C15) >> _shift);
}
