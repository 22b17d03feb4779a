namespace Mesh.Engine.Scraping;

/// <summary>
/// When an endpoint is scraped: at <c>(phase + k) · interval</c> after its start, so that endpoints with different phases never fire
/// together, however long their scrapes take and whatever pace they have; the phases of an engine's endpoints lie evenly over 0–1, so that
/// no jitter is needed to keep them apart. A scrape that takes longer than the interval leaves out the times that it missed. With another
/// interval than before, times within half of it are left out too. After n failures in a row the pause is at least
/// <c>min(limit, interval · 2^n)</c>.
/// </summary>
/// <param name="interval">The interval of an endpoint of which nothing else is known.</param>
/// <param name="backOffLimit">Longest pause after failures.</param>
/// <param name="phase">0–1.</param>
internal sealed class ScrapeSchedule(TimeSpan interval, TimeSpan backOffLimit, double phase)
{
    private readonly TimeSpan _usual = interval;
    private TimeSpan _interval = interval;
    private TimeSpan _due;
    private int _failures;

    /// <summary>Delay before the first scrape.</summary>
    public TimeSpan First { get; } = interval * phase;

    /// <summary>Delay before the next scrape.</summary>
    /// <param name="sinceStart">Time since the endpoint's start.</param>
    /// <param name="pace">The interval from now on.</param>
    /// <param name="success">Whether the scrape that has just ended succeeded.</param>
    public TimeSpan Next(TimeSpan sinceStart, TimeSpan pace, bool success)
    {
        _failures = success ? 0 : Math.Min(_failures + 1, 30);
        var pause = _failures > 0 ? Pause() : pace == _interval ? TimeSpan.Zero : pace / 2;
        _interval = pace;
        var first = pace * phase;
        var next = Math.Floor((sinceStart - first) / pace) + 1;
        var afterPause = Math.Ceiling((sinceStart + pause - first) / pace);
        var due = first + pace * Math.Max(next, afterPause);
        // A timer may fire a little early: the time that it was for has been served.
        if (due == _due && due - sinceStart < pace / 8) due += pace;
        _due = due;
        return due - sinceStart;
    }

    /// <summary>Forgets earlier failures: the endpoint is known to have come back.</summary>
    public void Reset() => _failures = 0;

    private TimeSpan Pause()
    {
        var doubled = _usual * (1L << _failures);
        return doubled < backOffLimit ? doubled : backOffLimit;
    }
}
