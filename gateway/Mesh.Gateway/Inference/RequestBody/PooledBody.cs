using System.Buffers;
using Mesh.Gateway.Limits;

namespace Mesh.Gateway.Inference.RequestBody;

/// <summary>
/// A request body in one pooled array. Counted: whoever still sends it holds a reference, so that the array goes back to the pool only
/// when nobody can read it any more, also when an upstream send outlives the request that began it.
/// </summary>
internal sealed class PooledBody
{
    private readonly byte[] _array;
    private readonly int _length;
    private readonly BodyBudget? _budget;
    private readonly long _budgeted;
    private int _references = 1;

    /// <summary>Takes over an array rented from the shared pool.</summary>
    /// <param name="array">The array.</param>
    /// <param name="length">Bytes of it that are the body.</param>
    /// <param name="budget">Gets <paramref name="budgeted"/> bytes back at the end; null without one.</param>
    /// <param name="budgeted">Bytes taken from the budget.</param>
    public PooledBody(byte[] array, int length, BodyBudget? budget = null, long budgeted = 0)
    {
        _budget = budget;
        _budgeted = budgeted;
        _array = array;
        _length = length;
    }

    /// <summary>The bytes; only while a reference is held.</summary>
    public ReadOnlyMemory<byte> Memory => _array.AsMemory(0, _length);

    /// <summary>Length in bytes.</summary>
    public int Length => _length;

    /// <summary>Adds a reference; false when the array has already gone back.</summary>
    public bool TryRetain()
    {
        while (true)
        {
            var seen = Volatile.Read(ref _references);
            if (seen == 0) return false;
            if (Interlocked.CompareExchange(ref _references, seen + 1, seen) == seen) return true;
        }
    }

    /// <summary>Drops a reference.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _references) > 0) return;
        _budget?.Return(_budgeted);
        if (_array.Length > 0) ArrayPool<byte>.Shared.Return(_array);
    }
}
