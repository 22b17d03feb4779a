namespace Mesh.Gateway.Limits;

/// <summary>Bytes of request bodies that may be in memory at a time. Thread-safe.</summary>
internal sealed class BodyBudget(long limit)
{
    private long _taken;

    /// <summary>Bytes taken.</summary>
    public long Taken => Interlocked.Read(ref _taken);

    /// <summary>Takes bytes; false, and nothing is taken, when they are not left.</summary>
    public bool TryTake(long bytes)
    {
        if (Interlocked.Add(ref _taken, bytes) <= limit) return true;
        Interlocked.Add(ref _taken, -bytes);
        return false;
    }

    /// <summary>Gives bytes back.</summary>
    public void Return(long bytes) => Interlocked.Add(ref _taken, -bytes);
}
