namespace Mesh.Engine.Federation.Links;

/// <summary>When the last events of a stream were sent, so that an echo of a number tells a time. Bounded: old ones are forgotten. Not thread-safe.</summary>
internal sealed class SentLog
{
    private const int Kept = 256;

    private readonly long[] _sequences = new long[Kept];
    private readonly TimeSpan[] _times = new TimeSpan[Kept];

    /// <summary>An event is sent now.</summary>
    public void Add(long sequence, TimeSpan now)
    {
        var at = (int)(sequence % Kept);
        _sequences[at] = sequence;
        _times[at] = now;
    }

    /// <summary>When it was sent; null when that is forgotten, or it never was.</summary>
    public TimeSpan? Find(long sequence)
    {
        if (sequence <= 0) return null;
        var at = (int)(sequence % Kept);
        return _sequences[at] == sequence ? _times[at] : null;
    }
}
