namespace Mesh.Engine.Federation.Links;

/// <summary>
/// Round-trip time of a link from echoes: the least of the last while is what the way itself takes, the smoothed one tells of queues on
/// it. Not thread-safe.
/// </summary>
internal sealed class RoundTripMeter
{
    // Two halves of a window: the least of the last 30 to 60 s, so that a way that has become longer is believed in the end.
    private static readonly TimeSpan Half = TimeSpan.FromSeconds(30);

    private const double Gain = 1.0 / 8;

    private TimeSpan? _older;
    private TimeSpan? _newer;
    private TimeSpan _newerSince;

    /// <summary>Least of the last while; null before the first echo.</summary>
    public TimeSpan? Least => _older is { } older && _newer is { } newer ? (older < newer ? older : newer) : _newer ?? _older;

    /// <summary>Smoothed; null before the first echo.</summary>
    public TimeSpan? Smoothed { get; private set; }

    /// <summary>Takes an echo.</summary>
    /// <param name="roundTrip">Time; below zero counts as zero.</param>
    /// <param name="now">Time since some start, rising.</param>
    public void Add(TimeSpan roundTrip, TimeSpan now)
    {
        if (roundTrip < TimeSpan.Zero) roundTrip = TimeSpan.Zero;
        if (_newer is null || now - _newerSince >= Half)
        {
            _older = _newer;
            _newer = roundTrip;
            _newerSince = now;
        }
        else if (roundTrip < _newer)
        {
            _newer = roundTrip;
        }

        Smoothed = Smoothed is { } smoothed ? smoothed + ((roundTrip - smoothed) * Gain) : roundTrip;
    }

    /// <summary>Forgets all: the link is another one.</summary>
    public void Clear()
    {
        _older = _newer = null;
        Smoothed = null;
    }
}
