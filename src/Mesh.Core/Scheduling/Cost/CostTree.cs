namespace Mesh.Core.Scheduling.Cost;

/// <summary>
/// The rows of a large pool in a tree of blocks: 8 slots make a leaf, 8 blocks one of the next level, up to a level of at most 8. Each block has the
/// least of what the costs of its endpoints are made of, and is looked at again when one of its rows has changed, before the next choice. Not thread-safe.
/// </summary>
internal sealed class CostTree
{
    /// <summary>Slots of a leaf.</summary>
    public const int LeafSlots = 8;

    /// <summary>Blocks of a level that make one of the next.</summary>
    public const int FanOut = 1 << FanOutBits;

    /// <summary>Its logarithm.</summary>
    public const int FanOutBits = 3;

    private Level[] _levels = [];
    private int[] _ready = [];
    private int _slots;

    /// <summary>Ready endpoints.</summary>
    public int Ready { get; private set; }

    /// <summary>Levels, the leaves' included.</summary>
    public int Levels => _levels.Length;

    /// <summary>Blocks of a level; 0 are the leaves.</summary>
    public ReadOnlySpan<CostBlock> this[int level] => _levels[level].Blocks;

    /// <summary>Makes the tree anew where there are more slots than before.</summary>
    public void SetSlots(int slots)
    {
        if (slots <= _slots) return;
        var levels = new List<Level>();
        var leaves = Parts(slots, LeafSlots);
        for (var count = leaves; levels.Count == 0 || levels[^1].Blocks.Length > FanOut; count = Parts(count, FanOut)) levels.Add(new Level(count));
        _levels = [.. levels];
        _ready = new int[leaves];
        Ready = 0;
        _slots = slots;
        for (var leaf = 0; leaf < leaves; leaf++) _levels[0].Change(leaf);
    }

    /// <summary>A slot's row is about to change. One that is not in the tree yet will be looked at with the others.</summary>
    public void Change(int slot)
    {
        if (slot < _slots) _levels[0].Change(slot / LeafSlots);
    }

    /// <summary>Looks again at what has changed.</summary>
    /// <param name="rows">Rows of all slots.</param>
    /// <param name="nowMs">Now.</param>
    public void Update(ReadOnlySpan<CostRow> rows, double nowMs)
    {
        var leaves = _levels[0];
        while (leaves.TryTakeChanged(out var leaf))
        {
            var first = leaf * LeafSlots;
            leaves[leaf] = CostBlock.Of(rows[first..Math.Min(rows.Length, first + LeafSlots)], nowMs, out var ready);
            Ready += ready - _ready[leaf];
            _ready[leaf] = ready;
            if (_levels.Length > 1) _levels[1].Change(leaf / FanOut);
        }

        for (var level = 1; level < _levels.Length; level++)
        {
            while (_levels[level].TryTakeChanged(out var block))
            {
                var below = _levels[level - 1].Blocks;
                var first = block * FanOut;
                _levels[level][block] = CostBlock.Of(below[first..Math.Min(below.Length, first + FanOut)]);
                if (level + 1 < _levels.Length) _levels[level + 1].Change(block / FanOut);
            }
        }
    }

    private static int Parts(int all, int each) => (all + each - 1) / each;

    /// <summary>The blocks of one level, and which of them have changed.</summary>
    private sealed class Level(int count)
    {
        private readonly CostBlock[] _blocks = new CostBlock[count];
        private readonly bool[] _isChanged = new bool[count];
        private readonly int[] _changed = new int[count];
        private int _changedCount;

        public ReadOnlySpan<CostBlock> Blocks => _blocks;

        public CostBlock this[int block]
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
