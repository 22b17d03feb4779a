namespace Mesh.Core.Scheduling.Cost;

/// <summary>A summary of endpoints, or of such summaries, from which follows what none of them is below.</summary>
internal interface IBlock<TBlock>
    where TBlock : struct
{
    /// <summary>The summary of summaries.</summary>
    static abstract TBlock Of(ReadOnlySpan<TBlock> blocks);
}

/// <summary>
/// The slots of a large pool in a tree of blocks: 8 slots make a leaf, 8 blocks one of the next level, up to a level of at most 8. A block is
/// made again when one of its slots has changed, before it is looked at. Not thread-safe.
/// </summary>
internal abstract class BlockTree<TBlock>
    where TBlock : struct, IBlock<TBlock>
{
    /// <summary>Slots of a leaf.</summary>
    public const int LeafSlots = 8;

    /// <summary>Blocks of a level that make one of the next.</summary>
    public const int FanOut = 1 << FanOutBits;

    /// <summary>Its logarithm.</summary>
    public const int FanOutBits = 3;

    private Level[] _levels = [];
    private int _slots;

    /// <summary>Levels, the leaves' included.</summary>
    public int Levels => _levels.Length;

    /// <summary>Blocks of a level; 0 are the leaves.</summary>
    public ReadOnlySpan<TBlock> this[int level] => _levels[level].Blocks;

    /// <summary>Slots of a block of a level.</summary>
    public static int SlotsAt(int level) => LeafSlots << (level * FanOutBits);

    /// <summary>Makes the tree anew where there are more slots than before.</summary>
    public void SetSlots(int slots)
    {
        if (slots <= _slots) return;
        var levels = new List<Level>();
        var leaves = Parts(slots, LeafSlots);
        for (var count = leaves; levels.Count == 0 || levels[^1].Blocks.Length > FanOut; count = Parts(count, FanOut)) levels.Add(new Level(count));
        _levels = [.. levels];
        _slots = slots;
        for (var leaf = 0; leaf < leaves; leaf++) _levels[0].Change(leaf);
    }

    /// <summary>A slot is about to change. One that is not in the tree yet will be looked at with the others.</summary>
    public void Change(int slot)
    {
        if (slot < _slots) _levels[0].Change(slot / LeafSlots);
    }

    /// <summary>The next leaf that has changed; each is to be set.</summary>
    protected bool TryTakeChanged(out int leaf) => _levels[0].TryTakeChanged(out leaf);

    /// <summary>Sets a leaf.</summary>
    protected void SetLeaf(int leaf, in TBlock block)
    {
        _levels[0][leaf] = block;
        if (_levels.Length > 1) _levels[1].Change(leaf / FanOut);
    }

    /// <summary>Makes the levels above the leaves that were set.</summary>
    protected void Raise()
    {
        for (var level = 1; level < _levels.Length; level++)
        {
            while (_levels[level].TryTakeChanged(out var block))
            {
                var below = _levels[level - 1].Blocks;
                var first = block * FanOut;
                _levels[level][block] = TBlock.Of(below[first..Math.Min(below.Length, first + FanOut)]);
                if (level + 1 < _levels.Length) _levels[level + 1].Change(block / FanOut);
            }
        }
    }

    private static int Parts(int all, int each) => (all + each - 1) / each;

    /// <summary>The blocks of one level, and which of them have changed.</summary>
    private sealed class Level(int count)
    {
        private readonly TBlock[] _blocks = new TBlock[count];
        private readonly bool[] _isChanged = new bool[count];
        private readonly int[] _changed = new int[count];
        private int _changedCount;

        public ReadOnlySpan<TBlock> Blocks => _blocks;

        public TBlock this[int block]
        {
            set => _blocks[block] = value;
        }

        public void Change(int block)
        {
            if (_isChanged[block]) return;
            _isChanged[block] = true;
            _changed[_changedCount++] = block;
        }

        public bool TryTakeChanged(out int block)
        {
            block = _changedCount == 0 ? -1 : _changed[--_changedCount];
            if (block < 0) return false;
            _isChanged[block] = false;
            return true;
        }
    }
}
