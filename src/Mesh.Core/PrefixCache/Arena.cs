using System.Numerics;

namespace Mesh.Core.PrefixCache;

/// <summary>
/// Runs of items inside one array of a fixed size: rented by powers of two, given back to a list per size, so that nothing is allocated
/// and memory has a hard bound. A larger free run is cut when a size has none left.
/// </summary>
internal sealed class Arena<T>
    where T : unmanaged
{
    private const int Sizes = 31;
    private readonly T[] _items;
    private readonly Stack<int>[] _free = new Stack<int>[Sizes];
    private int _used;

    public Arena(int capacity)
    {
        _items = new T[capacity];
        for (var i = 0; i < Sizes; i++) _free[i] = new Stack<int>();
    }

    public unsafe long Bytes => _items.LongLength * sizeof(T);

    /// <summary>Items of the rented runs, by their rounded lengths.</summary>
    public int Rented { get; private set; }

    public ref T this[int index] => ref _items[index];

    public Span<T> Slice(int start, int length) => _items.AsSpan(start, length);

    /// <summary>Length that a run of <paramref name="length"/> items really takes.</summary>
    public static int RoundUp(int length) => (int)BitOperations.RoundUpToPowerOf2((uint)length);

    /// <summary>Rents a run of at least <paramref name="length"/> items; −1 when there is none.</summary>
    public int Rent(int length)
    {
        var size = BitOperations.Log2((uint)RoundUp(length));
        var start = Take(size);
        if (start >= 0) Rented += 1 << size;
        return start;
    }

    /// <summary>Gives a run back.</summary>
    public void Return(int start, int length)
    {
        var size = BitOperations.Log2((uint)RoundUp(length));
        _free[size].Push(start);
        Rented -= 1 << size;
    }

    private int Take(int size)
    {
        if (_free[size].TryPop(out var start)) return start;
        if (_used + (1 << size) <= _items.Length)
        {
            start = _used;
            _used += 1 << size;
            return start;
        }
        for (var larger = size + 1; larger < Sizes; larger++)
        {
            if (!_free[larger].TryPop(out start)) continue;
            for (var half = larger - 1; half >= size; half--) _free[half].Push(start + (1 << half));
            return start;
        }
        return -1;
    }
}
