namespace Mesh.Core.FlowControl;

/// <summary>How a heap orders its items, and where in an item it keeps the item's place.</summary>
internal interface IHeapOrder<T>
{
    static abstract bool IsBefore(T a, T b);

    static abstract ref int IndexOf(T item);
}

/// <summary>
/// A binary heap whose items know their own place, so that any of them can be taken out in O(log n): a client that leaves must free
/// its place at once. An item outside the heap has index −1. Not thread-safe.
/// </summary>
internal sealed class IntrusiveHeap<T, TOrder>
    where T : class
    where TOrder : struct, IHeapOrder<T>
{
    private T?[] _items = new T?[4];

    public int Count { get; private set; }

    public T? Min => Count == 0 ? null : _items[0];

    /// <summary>The item in slot <paramref name="index"/>; slots have no meaning beyond visiting every item once.</summary>
    public T this[int index] => _items[index]!;

    public void Add(T item)
    {
        if (Count == _items.Length) Array.Resize(ref _items, Count * 2);
        var index = Count++;
        _items[index] = item;
        TOrder.IndexOf(item) = index;
        Up(index);
    }

    public void Remove(T item)
    {
        var index = TOrder.IndexOf(item);
        TOrder.IndexOf(item) = -1;
        var last = _items[--Count]!;
        _items[Count] = null;
        if (index == Count) return;
        Place(last, index);
        Up(index);
        Down(TOrder.IndexOf(last));
    }

    private void Up(int index)
    {
        var item = _items[index]!;
        while (index > 0)
        {
            var parent = (index - 1) / 2;
            if (!TOrder.IsBefore(item, _items[parent]!)) break;
            Place(_items[parent]!, index);
            index = parent;
        }
        Place(item, index);
    }

    private void Down(int index)
    {
        var item = _items[index]!;
        while (true)
        {
            var child = 2 * index + 1;
            if (child >= Count) break;
            if (child + 1 < Count && TOrder.IsBefore(_items[child + 1]!, _items[child]!)) child++;
            if (!TOrder.IsBefore(_items[child]!, item)) break;
            Place(_items[child]!, index);
            index = child;
        }
        Place(item, index);
    }

    private void Place(T item, int index)
    {
        _items[index] = item;
        TOrder.IndexOf(item) = index;
    }
}
