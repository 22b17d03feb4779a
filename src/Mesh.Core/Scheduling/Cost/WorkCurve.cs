using Mesh.Core.StepTimes;

namespace Mesh.Core.Scheduling.Cost;

/// <summary>
/// What work costs on the hardware of a step-time table, in milliseconds. Immutable; allocates nothing.
/// </summary>
internal sealed class WorkCurve(StepTimeTable table)
{
    /// <summary>Prompt tokens of one engine step: vLLM's default budget.</summary>
    public const int ChunkTokens = 2048;

    private readonly double _perToken = table.PrefillMs(ChunkTokens) / ChunkTokens;
    private readonly double _leastDecodeMs = table.DecodeMs(1, 0);

    /// <summary>Time of a prompt token in a full step.</summary>
    public double MsPerToken => _perToken;

    /// <summary>Time of a step full of prompt tokens.</summary>
    public double ChunkMs { get; } = table.PrefillMs(ChunkTokens);

    /// <summary>
    /// What computing a prompt adds to an endpoint's work: by the table from the cached part to its end, but no less than its tokens cost in
    /// a full step. Short prompts share steps, so that the table's floor for a lone one does not count for each.
    /// </summary>
    public double PromptMs(int uncachedTokens, int cachedTokens)
    {
        if (uncachedTokens <= 0) return 0;
        var full = uncachedTokens * _perToken;
        if (uncachedTokens < ChunkTokens / 4 && cachedTokens == 0) return full;
        return Math.Max(full, table.PrefillMs(cachedTokens + uncachedTokens) - table.PrefillMs(cachedTokens));
    }

    /// <summary>What no prompt takes less than of which so much is cached, or less: measured times may fall where prompts grow.</summary>
    public double LeastPromptMs(int uncachedTokens, int mostCachedTokens)
    {
        if (uncachedTokens <= 0) return 0;
        var full = uncachedTokens * _perToken;
        if (mostCachedTokens + uncachedTokens < ChunkTokens / 4) return full;
        return Math.Max(full, table.PrefillMs(mostCachedTokens + uncachedTokens) - table.PrefillMs(mostCachedTokens) - table.LargestPrefillDropMs);
    }

    /// <summary>A prompt that is computed alone, from its beginning.</summary>
    public double LonePromptMs(double tokens) => table.PrefillMs(tokens);

    /// <summary>Steps that a prompt takes.</summary>
    public static int Steps(int uncachedTokens) => (uncachedTokens + ChunkTokens - 1) / ChunkTokens;

    /// <summary>One decode step of a batch.</summary>
    public double DecodeMs(int streams, long contextTokens) => streams == 0 ? 0 : table.DecodeMs(streams, (double)contextTokens / streams);

    /// <summary>What the streams of a batch add to a prefill step beside them.</summary>
    public double BesidesPrefillMs(int streams, long contextTokens) => Math.Max(0, DecodeMs(streams, contextTokens) - _leastDecodeMs);
}
