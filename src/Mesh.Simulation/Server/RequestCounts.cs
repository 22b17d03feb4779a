namespace Mesh.Simulation.Server;

/// <summary>Counts of HTTP requests since the start. Thread-safe.</summary>
internal sealed class RequestCounts
{
    private long _completed;
    private long _aborted;
    private int _open;

    public long CompletedTotal => Interlocked.Read(ref _completed);

    public long AbortedTotal => Interlocked.Read(ref _aborted);

    /// <summary>Inference requests being handled now.</summary>
    public int Open => Volatile.Read(ref _open);

    public void Completed() => Interlocked.Increment(ref _completed);

    public void Aborted() => Interlocked.Increment(ref _aborted);

    public void Enter() => Interlocked.Increment(ref _open);

    public void Leave() => Interlocked.Decrement(ref _open);
}
