namespace Mesh.Core.Scheduling.Cost.Adapters;

/// <summary>Slots of whose endpoints something has changed, each once, until they are looked at. Not thread-safe.</summary>
internal sealed class ChangedSlots
{
    private bool[] _isChanged = [];
    private int[] _changed = [];
    private int _count;

    /// <summary>Something about a slot's endpoint has changed.</summary>
    public void Note(int slot)
    {
        if (slot >= _isChanged.Length)
        {
            Array.Resize(ref _isChanged, Math.Max(64, 2 * (slot + 1)));
            Array.Resize(ref _changed, _isChanged.Length);
        }

        if (_isChanged[slot]) return;
        _isChanged[slot] = true;
        _changed[_count++] = slot;
    }

    /// <summary>One of them, which then is none any more.</summary>
    public bool TryTake(out int slot)
    {
        slot = _count == 0 ? -1 : _changed[--_count];
        if (slot < 0) return false;
        _isChanged[slot] = false;
        return true;
    }
}
