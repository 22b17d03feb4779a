namespace Mesh.Core.SpillOver;

/// <summary>
/// The token bucket behind RATE: it refills with the target rate and holds 200 ms of it, at least four tokens. A step of load to twice the
/// target overflows within 200 ms, or, below a target of 20 per second, with the fourth request too many. Less would be quicker, but take
/// chance for load: with two tokens random arrivals at half the target overflow 10% of the time, with three 3%, with four less than 1%.
/// </summary>
internal struct RateBucket
{
    private const double DepthSeconds = 0.2;
    private const double MinDepthTokens = 4;
    private double _tokens;
    private TimeSpan _filledAt;
    private bool _started;

    /// <summary>True if one more request stays within <paramref name="ratePerSecond"/>.</summary>
    public bool HasToken(TimeSpan now, double ratePerSecond)
    {
        Fill(now, ratePerSecond);
        // A hair below one: refills in steps of a request interval must not miss a token to rounding.
        return _tokens >= 1 - 1e-9;
    }

    /// <summary>Tokens that it holds now.</summary>
    public double Tokens(TimeSpan now, double ratePerSecond)
    {
        Fill(now, ratePerSecond);
        return _tokens;
    }

    /// <summary>Takes one token; call only after <see cref="HasToken"/>.</summary>
    public void Take() => _tokens -= 1;

    private void Fill(TimeSpan now, double ratePerSecond)
    {
        var depth = Math.Max(MinDepthTokens, ratePerSecond * DepthSeconds);
        if (!_started)
        {
            _started = true;
            _tokens = depth;
        }
        else
        {
            _tokens = Math.Min(depth, _tokens + (now - _filledAt).TotalSeconds * ratePerSecond);
        }
        _filledAt = now;
    }
}
