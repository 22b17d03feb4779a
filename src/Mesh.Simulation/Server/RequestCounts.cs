namespace Mesh.Simulation.Server;

/// <summary>Counts of HTTP requests since the start. Thread-safe.</summary>
internal sealed class RequestCounts
{
    private long _completed;
    private long _aborted;
    private long _arrived;
    private long _metricsReads;
    private int _open;

    public long CompletedTotal => Interlocked.Read(ref _completed);

    public long AbortedTotal => Interlocked.Read(ref _aborted);

    /// <summary>Inference requests being handled now.</summary>
    public int Open => Volatile.Read(ref _open);

    /// <summary>Inference requests that have come, whatever became of them.</summary>
    public long ArrivedTotal => Interlocked.Read(ref _arrived);

    /// <summary>Times that the metrics were read.</summary>
    public long MetricsReadsTotal => Interlocked.Read(ref _metricsReads);

    public void MetricsRead() => Interlocked.Increment(ref _metricsReads);

    public void Completed() => Interlocked.Increment(ref _completed);

    public void Aborted() => Interlocked.Increment(ref _aborted);

    public void Enter()
    {
        Interlocked.Increment(ref _open);
        Interlocked.Increment(ref _arrived);
    }

    public void Leave() => Interlocked.Decrement(ref _open);
}
