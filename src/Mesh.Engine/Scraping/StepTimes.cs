namespace Mesh.Engine.Scraping;

/// <summary>
/// How long an engine takes, as its own histograms tell: means of what happened lately. They begin as means over its whole life. As
/// observations come in, all the older ones together count only as much as <see cref="PrefillWindow"/> or <see cref="InterTokenWindow"/> new
/// ones do, whatever the pace of the scrapes. Of each histogram only the point is kept from which it counts.
/// </summary>
internal struct StepTimes
{
    /// <summary>Requests whose prefills weigh as much as all that came before.</summary>
    public const int PrefillWindow = 32;

    /// <summary>Pauses between tokens that weigh as much as all that came before: two seconds of ten streams at 10 ms.</summary>
    public const int InterTokenWindow = 2000;

    private double _prefillSeconds;
    private double _prefillRequests;
    private double _prefillTokens;
    private double _interTokenSeconds;
    private double _interTokenPauses;

    /// <summary>Seconds of prefill for one token of a prompt, cached ones included; null when unknown.</summary>
    public double? MeanPrefillSecondsPerToken { get; private set; }

    /// <summary>Tokens of a prompt, cached ones included; null when unknown.</summary>
    public double? MeanPromptTokens { get; private set; }

    /// <summary>Prefills observed since the engine's start.</summary>
    public long PrefillObservations { get; private set; }

    /// <summary>Seconds between two tokens of an answer; null when unknown.</summary>
    public double? MeanInterTokenSeconds { get; private set; }

    /// <summary>Pauses observed since the engine's start.</summary>
    public long InterTokenObservations { get; private set; }

    /// <summary>The engine has begun anew: so have its histograms.</summary>
    public void Reset() => this = default;

    /// <summary>Takes the totals of a page.</summary>
    public void Observe(MetricsPageParser page)
    {
        ObservePrefills(page.Prefills);
        ObserveInterToken(page.InterToken);
    }

    private void ObservePrefills((double Seconds, double Requests, double Tokens)? totals)
    {
        MeanPrefillSecondsPerToken = null;
        MeanPromptTokens = null;
        PrefillObservations = 0;
        if (totals is not { Requests: > 0, Tokens: > 0 } total) return;
        // Histograms never fall but with a restart that nothing else told of.
        if (total.Requests < _prefillRequests || total.Seconds < _prefillSeconds || total.Tokens < _prefillTokens)
            (_prefillSeconds, _prefillRequests, _prefillTokens) = (0, 0, 0);

        PrefillObservations = Whole(total.Requests);
        var seconds = total.Seconds - _prefillSeconds;
        var tokens = total.Tokens - _prefillTokens;
        if (tokens <= 0) return;
        MeanPrefillSecondsPerToken = seconds / tokens;
        if (total.Requests > _prefillRequests) MeanPromptTokens = tokens / (total.Requests - _prefillRequests);

        var kept = PrefillWindow / (total.Requests - _prefillRequests);
        if (kept >= 1) return;
        _prefillSeconds = total.Seconds - seconds * kept;
        _prefillRequests = total.Requests - PrefillWindow;
        _prefillTokens = total.Tokens - tokens * kept;
    }

    private void ObserveInterToken((double Seconds, double Pauses)? totals)
    {
        MeanInterTokenSeconds = null;
        InterTokenObservations = 0;
        if (totals is not { Pauses: > 0 } total) return;
        if (total.Pauses < _interTokenPauses || total.Seconds < _interTokenSeconds) (_interTokenSeconds, _interTokenPauses) = (0, 0);

        InterTokenObservations = Whole(total.Pauses);
        var seconds = total.Seconds - _interTokenSeconds;
        var pauses = total.Pauses - _interTokenPauses;
        if (pauses <= 0) return;
        MeanInterTokenSeconds = seconds / pauses;

        if (pauses <= InterTokenWindow) return;
        _interTokenSeconds = total.Seconds - seconds / pauses * InterTokenWindow;
        _interTokenPauses = total.Pauses - InterTokenWindow;
    }

    private static long Whole(double count) => (long)Math.Min(count, 1L << 53);
}
