namespace Mesh.Gateway.Limits;

/// <summary>An allowance that fills evenly, a minute's worth at most. It may be overdrawn by what turns out only later. Thread-safe; takes no memory in use.</summary>
internal sealed class TokenBucket
{
    private readonly TimeProvider _time;
    private readonly double _perSecond;
    private readonly Lock _gate = new();
    private double _level;
    private long _filledAt;

    /// <param name="perMinute">What a minute brings, above zero; the bucket begins full.</param>
    /// <param name="time">Clock.</param>
    public TokenBucket(int perMinute, TimeProvider time)
    {
        PerMinute = perMinute;
        _time = time;
        _perSecond = perMinute / 60d;
        _level = perMinute;
        _filledAt = time.GetTimestamp();
    }

    /// <summary>What a minute brings, and what the bucket holds.</summary>
    public int PerMinute { get; }

    /// <summary>Takes an amount, or says how long to wait until it is there. More than the bucket holds is never there.</summary>
    /// <param name="amount">Amount, zero or more.</param>
    /// <param name="wait">Time until a next try can succeed; zero when it was taken.</param>
    public bool TryTake(int amount, out TimeSpan wait)
    {
        lock (_gate)
        {
            Fill();
            if (_level >= amount)
            {
                _level -= amount;
                wait = TimeSpan.Zero;
                return true;
            }

            wait = TimeSpan.FromSeconds((Math.Min(amount, PerMinute) - _level) / _perSecond);
            return false;
        }
    }

    /// <summary>Takes what was used beyond what had been taken, or gives back what was not; the level may fall below zero, not above full.</summary>
    public void Correct(long amount)
    {
        lock (_gate)
        {
            Fill();
            // A minute's worth of debt at most: an answer of an hour must not shut a key out for an hour.
            _level = Math.Clamp(_level - amount, -PerMinute, PerMinute);
        }
    }

    /// <summary>What is there now, at least zero, and the time until the bucket is full.</summary>
    public (int Remaining, TimeSpan UntilFull) Read()
    {
        lock (_gate)
        {
            Fill();
            return ((int)Math.Max(_level, 0), TimeSpan.FromSeconds((PerMinute - _level) / _perSecond));
        }
    }

    private void Fill()
    {
        var now = _time.GetTimestamp();
        _level = Math.Min(PerMinute, _level + (_time.GetElapsedTime(_filledAt, now).TotalSeconds * _perSecond));
        _filledAt = now;
    }
}
