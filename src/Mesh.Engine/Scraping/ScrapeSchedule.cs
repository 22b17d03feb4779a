namespace Mesh.Engine.Scraping;

/// <summary>
/// When an endpoint is scraped: at <c>(phase + k) · interval</c> after its start, so that endpoints with different phases never fire
/// together, however long their scrapes take. A scrape that takes longer than the interval leaves out the times that it missed. After n
/// failures in a row the pause is at least <c>min(limit, interval · 2^n)</c>.
/// </summary>
internal sealed class ScrapeSchedule(TimeSpan interval, TimeSpan backOffLimit, double phase)
{
    private int _failures;

    /// <summary>Delay before the first scrape.</summary>
    public TimeSpan First { get; } = interval * phase;

    /// <summary>Delay before the next scrape.</summary>
    /// <param name="sinceStart">Time since the endpoint's start.</param>
    /// <param name="success">Whether the scrape that has just ended succeeded.</param>
    public TimeSpan Next(TimeSpan sinceStart, bool success)
    {
        _failures = success ? 0 : Math.Min(_failures + 1, 30);
        var pause = _failures == 0 ? TimeSpan.Zero : Pause();
        var next = Math.Floor((sinceStart - First) / interval) + 1;
        var afterPause = Math.Ceiling((sinceStart + pause - First) / interval);
        var due = First + interval * Math.Max(next, afterPause);
        return due - sinceStart;
    }

    /// <summary>Forgets earlier failures: the endpoint is known to have come back.</summary>
    public void Reset() => _failures = 0;

    private TimeSpan Pause()
    {
        var doubled = interval * (1L << _failures);
        return doubled < backOffLimit ? doubled : backOffLimit;
    }
}
