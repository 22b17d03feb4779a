namespace Mesh.Core.Health;

/// <summary>
/// Judges one endpoint by how its requests end. Suspicious: as many failures in a row as the options say, or that share of the requests
/// that ended within the window. Whether it is then ejected is for the owner to say. See <see cref="EjectionOptions"/> for the formula.
/// </summary>
internal struct OutlierDetector
{
    // 5 s doubled 30 times is longer than any bound.
    private const int MostDoublings = 30;
    private int _failuresInARow;
    private long _half;
    private (int Failed, int All) _thisHalf;
    private (int Failed, int All) _lastHalf;
    private int _inARow;

    /// <summary>Ejections ever.</summary>
    public int Ejections { get; private set; }

    /// <summary>True from an ejection to the return.</summary>
    public bool IsEjected { get; private set; }

    /// <summary>End of the last ejection, since the pool's start; zero before the first.</summary>
    public TimeSpan EjectedUntil { get; private set; }

    /// <summary>Takes the end of a request; true when the endpoint should be left alone.</summary>
    public bool Observe(bool failed, TimeSpan now, EjectionOptions options)
    {
        MoveWindow(now, options);
        _thisHalf = (_thisHalf.Failed + (failed ? 1 : 0), _thisHalf.All + 1);
        _failuresInARow = failed ? Math.Min(_failuresInARow + 1, 1000) : 0;
        // A late success of one that was sent before does not bring an endpoint back, and a late failure says nothing new.
        if (!failed || IsEjected) return false;
        if (options.ConsecutiveFailures > 0 && _failuresInARow >= options.ConsecutiveFailures) return true;
        var all = _thisHalf.All + _lastHalf.All;
        return options.MinRequests > 0 && all >= options.MinRequests && _thisHalf.Failed + _lastHalf.Failed >= options.FailureRatio * all;
    }

    /// <summary>Ejects for a time that doubles with every ejection in a row.</summary>
    public void Eject(TimeSpan now, EjectionOptions options)
    {
        if (Ejections > 0) _inARow = Math.Max(0, _inARow - (int)Math.Min(MostDoublings, (now - EjectedUntil) / options.ForgiveAfter));
        EjectedUntil = now + TimeSpan.FromSeconds(Math.Min(options.MaxDuration.TotalSeconds, options.BaseDuration.TotalSeconds * (1L << _inARow)));
        _inARow = Math.Min(MostDoublings, _inARow + 1);
        Ejections++;
        IsEjected = true;
    }

    /// <summary>Lets it take requests again, and judges it by what comes from now on.</summary>
    /// <param name="now">Now; before the end of the ejection when it is needed.</param>
    public void Return(TimeSpan now)
    {
        IsEjected = false;
        if (now < EjectedUntil) EjectedUntil = now;
        _failuresInARow = 0;
        _thisHalf = _lastHalf = default;
    }

    private void MoveWindow(TimeSpan now, EjectionOptions options)
    {
        var half = now.Ticks / (options.Window.Ticks / 2);
        if (half == _half) return;
        _lastHalf = half == _half + 1 ? _thisHalf : default;
        _thisHalf = default;
        _half = half;
    }
}
