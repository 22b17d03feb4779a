namespace Mesh.Engine.Federation.Links;

/// <summary>Bytes per second, smoothed over some seconds. Not thread-safe.</summary>
internal sealed class ByteRate
{
    private const double Window = 5;

    private double _perSecond;
    private TimeSpan _at;

    /// <summary>Bytes since the start.</summary>
    public long Total { get; private set; }

    public void Add(int bytes, TimeSpan now)
    {
        Total += bytes;
        _perSecond = At(now) + (bytes / Window);
        _at = now;
    }

    /// <summary>The rate now.</summary>
    public double At(TimeSpan now) => _perSecond * Math.Exp(-Math.Max(0, (now - _at).TotalSeconds) / Window);
}
