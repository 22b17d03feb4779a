namespace Mesh.Gateway.Metrics;

/// <summary>A count that only rises. Thread-safe.</summary>
internal sealed class Counter
{
    private long _value;

    public long Value => Interlocked.Read(ref _value);

    public void Increment() => Interlocked.Increment(ref _value);

    /// <summary>Adds an amount, 0 and up.</summary>
    public void Add(long amount) => Interlocked.Add(ref _value, amount);
}
