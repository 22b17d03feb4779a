using Mesh.Core.Endpoints;

namespace Mesh.Core.Scheduling.Cost;

/// <summary>
/// How an engine's own times compare with the step-time table, from the histograms that it exports: what predictions start from until
/// something is observed. Means over many requests say little about any one, so they are never used beyond that.
/// </summary>
internal static class ReportedSpeed
{
    private const long LeastPrefills = 32;
    private const double LeastTokensOfPrompt = 512;
    private const long LeastTokens = 1000;

    /// <summary>Its prompt times over the table's; null when it does not tell enough.</summary>
    public static double? OfPrefill(EndpointSample sample, WorkCurve curve)
    {
        if (sample.MeanPrefillSecondsPerToken is not > 0 || sample.MeanPromptTokens is not > 0 || sample.PrefillObservations < LeastPrefills) return null;
        // The mean is over all tokens of the prompts; only those that were not cached took time.
        var computed = sample is { PrefixCacheQueriedTokens: > 0 and var queried, PrefixCacheHitTokens: { } hits } ? 1 - Math.Clamp(hits / queried, 0, 0.95) : 1;
        var tokens = sample.MeanPromptTokens.Value * computed;
        // Shorter ones take as long as a step does, whatever their length and the hardware.
        if (tokens < LeastTokensOfPrompt) return null;
        return 1000 * sample.MeanPrefillSecondsPerToken.Value * sample.MeanPromptTokens.Value / curve.LonePromptMs(tokens);
    }

    /// <summary>Its times per output token over the table's for the batch that it runs; null when it does not tell enough.</summary>
    public static double? OfDecode(EndpointSample sample, WorkCurve curve)
    {
        if (sample.MeanInterTokenSeconds is not > 0 || sample.InterTokenObservations < LeastTokens) return null;
        if (sample is not { RunningRequests: > 0 and var running, KvUtilizationRatio: { } used, KvCapacityTokens: { } capacity }) return null;
        return 1000 * sample.MeanInterTokenSeconds.Value / curve.DecodeMs(running, (long)(used * capacity));
    }
}
