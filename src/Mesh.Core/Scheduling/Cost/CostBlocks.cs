namespace Mesh.Core.Scheduling.Cost;

/// <summary>
/// The rows of a large pool in blocks of 16 slots, each with the least of what its costs are made of. A block is looked at again when one of
/// its rows has changed, before the next choice. Not thread-safe.
/// </summary>
internal sealed class CostBlocks
{
    /// <summary>Slots of a block.</summary>
    public const int Size = 16;

    private CostBlock[] _blocks = [];
    private bool[] _changed = [];
    private int[] _toLookAt = [];
    private int _toLookAtCount;
    private int _count;

    /// <summary>Ready endpoints in all blocks.</summary>
    public int Ready { get; private set; }

    /// <summary>Makes room for slots; new ones have changed.</summary>
    public void SetSlots(int slots)
    {
        var count = (slots + Size - 1) / Size;
        if (count > _blocks.Length)
        {
            var room = Math.Max(count, 2 * _blocks.Length);
            Array.Resize(ref _blocks, room);
            Array.Resize(ref _changed, room);
            Array.Resize(ref _toLookAt, room);
        }

        for (var first = _count; first < count; first++) Change(first * Size);
        _count = Math.Max(_count, count);
    }

    /// <summary>A slot's row is about to change.</summary>
    public void Change(int slot)
    {
        var block = slot / Size;
        if (_changed[block]) return;
        _changed[block] = true;
        _toLookAt[_toLookAtCount++] = block;
    }

    /// <summary>All blocks as they are now.</summary>
    public ReadOnlySpan<CostBlock> At(ReadOnlySpan<CostRow> rows, double nowMs)
    {
        for (var i = 0; i < _toLookAtCount; i++)
        {
            var block = _toLookAt[i];
            var first = block * Size;
            _changed[block] = false;
            Ready -= _blocks[block].Count;
            _blocks[block] = CostBlock.Of(rows[first..Math.Min(rows.Length, first + Size)], nowMs);
            Ready += _blocks[block].Count;
        }

        _toLookAtCount = 0;
        return _blocks.AsSpan(0, _count);
    }
}
