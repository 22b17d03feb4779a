namespace Mesh.Core.Metrics;

/// <summary>Says whether a sample is young enough to decide by. An old one is unknown: it reads neither as its old value nor as 0.</summary>
/// <param name="Now">Timestamp of now.</param>
/// <param name="MaxAgeTicks">Oldest age, in timestamp ticks, at which a sample still counts.</param>
internal readonly record struct SampleFreshness(long Now, long MaxAgeTicks)
{
    public bool IsFresh(long sampleTimestamp) => Now - sampleTimestamp <= MaxAgeTicks;
}
