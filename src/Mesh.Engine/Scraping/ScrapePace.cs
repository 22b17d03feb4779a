namespace Mesh.Engine.Scraping;

/// <summary>
/// How often one endpoint is scraped, by what its last page said: crowded ones, where a stale figure costs most, more often than others, and
/// resting ones ever more seldom. An endpoint that does not tell how many requests it has is never taken to rest.
/// </summary>
internal sealed class ScrapePace(EngineOptions options)
{
    private ulong? _fingerprint;

    /// <summary>Time between two scrapes.</summary>
    public TimeSpan Interval { get; private set; } = options.ScrapeInterval;

    /// <summary>True when the endpoint is read less often than others because it rests.</summary>
    public bool IsResting => Interval > options.ScrapeInterval;

    /// <summary>Takes what the pages said, each null when unknown.</summary>
    /// <param name="kvUtilizationRatio">Share of the KV cache in use.</param>
    /// <param name="running">Requests in the running batch.</param>
    /// <param name="waiting">Requests in the engine's queue.</param>
    /// <param name="fingerprint">Another number when anything that is read from the pages has changed.</param>
    public void Observe(double? kvUtilizationRatio, int? running, int? waiting, ulong fingerprint)
    {
        var changed = fingerprint != _fingerprint;
        _fingerprint = fingerprint;
        if (waiting > 0 || kvUtilizationRatio >= options.CrowdedKvUtilizationRatio)
            Interval = Least(options.CrowdedScrapeInterval, options.ScrapeInterval);
        else if (changed || running is not 0 || waiting is not 0)
            Interval = options.ScrapeInterval;
        else
            Interval = Greatest(options.ScrapeInterval, Least(Greatest(Interval, options.ScrapeInterval) * 2, options.IdleScrapeInterval));
    }

    /// <summary>Begins anew: the endpoint has been given work, or does not answer.</summary>
    public void Begin() => Interval = options.ScrapeInterval;

    private static TimeSpan Least(TimeSpan left, TimeSpan right) => left < right ? left : right;

    private static TimeSpan Greatest(TimeSpan left, TimeSpan right) => left > right ? left : right;
}
