namespace Mesh.Simulation.Model;

/// <summary>
/// Numbers of blocks by the hash of their contents: open addressing with linear probing, at most two thirds full, so that a look-up costs one
/// cache line where a general dictionary costs two. Hashes are never 0. Not thread-safe.
/// </summary>
internal sealed class BlockTable
{
    private const ulong Golden = 0x9E3779B97F4A7C15;
    private Entry[] _entries = new Entry[16];
    private int _shift = 60;

    /// <summary>Hashes in the table.</summary>
    public int Count { get; private set; }

    public bool TryFind(ulong hash, out int block)
    {
        for (var at = Home(hash); ; at = Next(at))
        {
            ref var entry = ref _entries[at];
            block = entry.Block;
            if (entry.Hash == hash) return true;
            if (entry.Hash == 0) return false;
        }
    }

    /// <summary>Adds a hash; false when it is there.</summary>
    public bool TryAdd(ulong hash, int block)
    {
        if ((Count + 1) * 3L > _entries.Length * 2L) Grow();
        var at = Home(hash);
        for (; _entries[at].Hash != 0; at = Next(at))
        {
            if (_entries[at].Hash == hash) return false;
        }

        _entries[at] = new Entry { Hash = hash, Block = block };
        Count++;
        return true;
    }

    /// <summary>Takes a hash out; without effect when it is not there.</summary>
    public void Remove(ulong hash)
    {
        var hole = Home(hash);
        while (_entries[hole].Hash != hash)
        {
            if (_entries[hole].Hash == 0) return;
            hole = Next(hole);
        }

        // Whoever could stand in the hole moves there, or its look-up would end at the hole.
        for (var at = Next(hole); _entries[at].Hash != 0; at = Next(at))
        {
            var home = Home(_entries[at].Hash);
            if (((at - home) & (_entries.Length - 1)) < ((at - hole) & (_entries.Length - 1))) continue;
            _entries[hole] = _entries[at];
            hole = at;
        }

        _entries[hole] = default;
        Count--;
    }

    /// <summary>Takes all of them out.</summary>
    public void Clear()
    {
        Array.Clear(_entries);
        Count = 0;
    }

    private int Home(ulong hash) => (int)((hash * Golden) >> _shift);

    private int Next(int at) => (at + 1) & (_entries.Length - 1);

    private void Grow()
    {
        var before = _entries;
        _entries = new Entry[before.Length * 2];
        _shift--;
        Count = 0;
        foreach (var entry in before)
        {
            if (entry.Hash != 0) TryAdd(entry.Hash, entry.Block);
        }
    }

    private struct Entry
    {
        public ulong Hash;
        public int Block;
    }
}
