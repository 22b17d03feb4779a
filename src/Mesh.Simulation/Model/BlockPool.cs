namespace Mesh.Simulation.Model;

/// <summary>
/// Paged KV cache: a fixed number of blocks, each referenced by the sequences that use it. A block without references stays findable by its
/// hash until it is needed again, the longest unreferenced first. Memory grows with the blocks that were ever used, not with the size of the
/// cache, so that a world of thousands of idle engines stays small. Not thread-safe.
/// </summary>
internal sealed class BlockPool(int total)
{
    private const int None = -1;

    private readonly BlockTable _byHash = new();
    private Block[] _blocks = [];
    private int _everUsed;
    private int _oldest = None;
    private int _newest = None;
    private int _unreferenced;

    public int Total => total;

    /// <summary>Blocks that a sequence could get now, cached ones without references included.</summary>
    public int Free => total - _everUsed + _unreferenced;

    public int InUse => total - Free;

    /// <summary>Blocks that can be found by their hash.</summary>
    public int Cached => _byHash.Count;

    /// <summary>Blocks whose contents were given up for another use.</summary>
    public long Evictions { get; private set; }

    /// <summary>Hears of every hash that can no longer be found; null for nobody.</summary>
    public IKvBlockObserver? Observer { get; set; }

    public bool TryFind(ulong hash, out int block)
    {
        block = None;
        return hash != 0 && _byHash.TryFind(hash, out block);
    }

    /// <summary>
    /// As <see cref="TryFind(ulong, out int)"/>, for the block that follows <paramref name="previous"/> in a prompt: where the same block
    /// followed it before, its number is known without a look into the table.
    /// </summary>
    public bool TryFindNext(int previous, ulong hash, out int block)
    {
        block = _blocks[previous].Next;
        // A block that bears the hash is the one that the table has under it.
        if (block != None && hash != 0 && _blocks[block].Hash == hash) return true;
        if (!TryFind(hash, out block)) return false;
        _blocks[previous].Next = block;
        return true;
    }

    public bool IsReferenced(int block) => _blocks[block].References > 0;

    /// <summary>Gives a block with one reference and unknown contents; the caller has made sure that one is free.</summary>
    public int Take()
    {
        if (_everUsed < total)
        {
            if (_everUsed == _blocks.Length) Array.Resize(ref _blocks, Math.Min(total, Math.Max(64, _blocks.Length * 2)));
            _blocks[_everUsed] = new Block { References = 1, Older = None, Newer = None, Next = None };
            return _everUsed++;
        }

        var block = _oldest;
        if (block == None) throw new InvalidOperationException("No block is free.");
        Unlink(block);
        ref var b = ref _blocks[block];
        if (b.Hash != 0)
        {
            _byHash.Remove(b.Hash);
            Observer?.OnRemoved(b.Hash);
            b.Hash = 0;
            Evictions++;
        }

        b.References = 1;
        return block;
    }

    /// <summary>Adds a reference to a block found by its hash.</summary>
    public void Reference(int block)
    {
        if (_blocks[block].References++ == 0) Unlink(block);
    }

    /// <summary>Makes a block findable; false when it is not, for contents that another block already holds stay with that block.</summary>
    /// <param name="previous">Block before it in the prompt; −1 for the first.</param>
    /// <param name="block">The block.</param>
    /// <param name="hash">Hash of its contents and of all before it.</param>
    public bool Share(int previous, int block, ulong hash)
    {
        if (hash == 0 || !_byHash.TryAdd(hash, block)) return false;
        _blocks[block].Hash = hash;
        if (previous != None) _blocks[previous].Next = block;
        return true;
    }

    public void Release(int block)
    {
        ref var b = ref _blocks[block];
        if (--b.References > 0) return;
        b.Older = _newest;
        b.Newer = None;
        if (_newest == None) _oldest = block;
        else _blocks[_newest].Newer = block;
        _newest = block;
        _unreferenced++;
    }

    /// <summary>Forgets all contents. False, and no effect, while sequences use blocks: theirs cannot be taken.</summary>
    public bool TryClear()
    {
        if (InUse > 0) return false;
        for (var i = 0; i < _everUsed; i++) _blocks[i].Hash = 0;
        _byHash.Clear();
        Observer?.OnCleared();
        return true;
    }

    /// <summary>Counts references by walking every block; for tests of the invariant.</summary>
    internal (int Referenced, int Unreferenced) Audit()
    {
        var referenced = 0;
        for (var i = 0; i < _everUsed; i++)
        {
            if (_blocks[i].References > 0) referenced++;
        }

        var listed = 0;
        for (var i = _oldest; i != None; i = _blocks[i].Newer) listed++;
        return (referenced, listed);
    }

    private void Unlink(int block)
    {
        ref var b = ref _blocks[block];
        if (b.Older == None) _oldest = b.Newer;
        else _blocks[b.Older].Newer = b.Newer;
        if (b.Newer == None) _newest = b.Older;
        else _blocks[b.Newer].Older = b.Older;
        b.Older = b.Newer = None;
        _unreferenced--;
    }

    private struct Block
    {
        public ulong Hash;
        public int References;
        public int Older;
        public int Newer;
        // The block that last followed this one in a prompt: a guess, to be checked by its hash.
        public int Next;
    }
}
