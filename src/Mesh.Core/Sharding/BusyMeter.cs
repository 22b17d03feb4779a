namespace Mesh.Core.Sharding;

/// <summary>Share of its time that an activation works, over windows of half a second, the last two counting. Not thread-safe.</summary>
public sealed class BusyMeter(TimeProvider time)
{
    private readonly long _window = Math.Max(1, time.TimestampFrequency / 2);
    private long _begun = time.GetTimestamp();
    private long _worked;
    private double _before;

    /// <summary>A turn that began at a timestamp ends now.</summary>
    public void End(long began)
    {
        var now = time.GetTimestamp();
        _worked += Math.Max(0, now - began);
        if (now - _begun >= _window) Turn(now);
    }

    /// <summary>The share, 0–1.</summary>
    public double Share
    {
        get
        {
            var now = time.GetTimestamp();
            if (now - _begun >= _window) Turn(now);
            return _before;
        }
    }

    private void Turn(long now)
    {
        var elapsed = now - _begun;
        var share = Math.Min(1, _worked / (double)elapsed);
        // After a long silence the window before says nothing.
        _before = elapsed > 2 * _window ? share : (_before + share) / 2;
        (_begun, _worked) = (now, 0);
    }
}
