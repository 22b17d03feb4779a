namespace Mesh.Core.FlowControl;

/// <summary>Objects to use again, at most 4,096 of them: what is beyond a usual queue is left to the garbage collector.</summary>
internal sealed class FreeList<T>
    where T : class, new()
{
    private const int Most = 4096;
    private readonly Stack<T> _free = new();

    public T Take() => _free.TryPop(out var item) ? item : new T();

    public void Return(T item)
    {
        if (_free.Count < Most) _free.Push(item);
    }
}
