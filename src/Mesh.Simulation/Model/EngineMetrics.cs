namespace Mesh.Simulation.Model;

/// <summary>Counters and histograms of one engine since it began; what they count is what vLLM's metrics of the same names count. Times are in seconds.</summary>
public sealed class EngineMetrics
{
    private static readonly double[] LatencySeconds =
        [0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680];

    private static readonly double[] FirstTokenSeconds =
        [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640, 2560];

    private static readonly double[] TokenSeconds =
        [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80];

    private static readonly double[] StepTokens = [1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384];

    private static readonly double[] Answers = [1, 2, 5, 10, 20];

    private readonly long[] _finished = new long[4];

    internal EngineMetrics(int maxModelLen)
    {
        var tokens = Histogram.OneTwoFive(maxModelLen);
        RequestPromptTokens = new(tokens);
        RequestGenerationTokens = new(tokens);
        RequestParamsMaxTokens = new(tokens);
    }

    /// <summary>Prompt tokens looked up in the prefix cache; a sequence counts once, when first admitted.</summary>
    public long PrefixCacheQueries { get; internal set; }

    /// <summary>Prompt tokens found there.</summary>
    public long PrefixCacheHits { get; internal set; }

    /// <summary>Sequences sent back to the queue because blocks ran out.</summary>
    public long Preemptions { get; internal set; }

    /// <summary>Prompt tokens of sequences whose prefill is complete, cached ones included.</summary>
    public long PromptTokens { get; internal set; }

    /// <summary>The cached ones among <see cref="PromptTokens"/>.</summary>
    public long PromptTokensCached { get; internal set; }

    /// <summary>Tokens generated.</summary>
    public long GenerationTokens { get; internal set; }

    /// <summary>Steps completed.</summary>
    public long Steps { get; internal set; }

    /// <summary>From arrival to first token.</summary>
    public Histogram TimeToFirstToken { get; } = new(FirstTokenSeconds);

    /// <summary>Between one token and the next of a sequence.</summary>
    public Histogram InterTokenLatency { get; } = new(TokenSeconds);

    /// <summary>Mean time per token after the first, per sequence with two tokens or more.</summary>
    public Histogram TimePerOutputToken { get; } = new(TokenSeconds);

    /// <summary>From arrival to end.</summary>
    public Histogram E2eLatency { get; } = new(LatencySeconds);

    /// <summary>From arrival to first admission.</summary>
    public Histogram QueueTime { get; } = new(LatencySeconds);

    /// <summary>From first admission to end.</summary>
    public Histogram InferenceTime { get; } = new(LatencySeconds);

    /// <summary>From first admission to first token.</summary>
    public Histogram PrefillTime { get; } = new(LatencySeconds);

    /// <summary>From first to last token.</summary>
    public Histogram DecodeTime { get; } = new(LatencySeconds);

    /// <summary>Prompt tokens per sequence.</summary>
    public Histogram RequestPromptTokens { get; }

    /// <summary>Generated tokens per sequence.</summary>
    public Histogram RequestGenerationTokens { get; }

    /// <summary>Cap on tokens named by the client, per sequence that has one.</summary>
    public Histogram RequestParamsMaxTokens { get; }

    /// <summary>Answers per prompt asked for.</summary>
    public Histogram RequestParamsN { get; } = new(Answers);

    /// <summary>Tokens computed or generated per step: prompt chunk and new tokens.</summary>
    public Histogram IterationTokens { get; } = new(StepTokens);

    /// <summary>Sequences that ended for <paramref name="reason"/>.</summary>
    public long Finished(FinishReason reason) => _finished[(int)reason];

    internal void FirstToken(Sequence sequence, double nowMs)
    {
        PromptTokens += sequence.Request.PromptTokens;
        PromptTokensCached += sequence.CachedTokens;
        TimeToFirstToken.Observe((nowMs - sequence.ArrivedMs) / 1000);
    }

    internal void Ended(Sequence sequence, FinishReason reason, double nowMs)
    {
        _finished[(int)reason]++;
        // An aborted sequence tells nothing about how long an answer takes: only its end is counted.
        if (reason is FinishReason.Abort or FinishReason.Error) return;
        E2eLatency.Observe((nowMs - sequence.ArrivedMs) / 1000);
        QueueTime.Observe((sequence.AdmittedMs - sequence.ArrivedMs) / 1000);
        InferenceTime.Observe((nowMs - sequence.AdmittedMs) / 1000);
        PrefillTime.Observe((sequence.FirstTokenMs - sequence.AdmittedMs) / 1000);
        DecodeTime.Observe((nowMs - sequence.FirstTokenMs) / 1000);
        if (sequence.Generated > 1) TimePerOutputToken.Observe((nowMs - sequence.FirstTokenMs) / (1000.0 * (sequence.Generated - 1)));
        RequestPromptTokens.Observe(sequence.Request.PromptTokens);
        RequestGenerationTokens.Observe(sequence.Generated);
        if (sequence.Request.MaxTokensParam > 0) RequestParamsMaxTokens.Observe(sequence.Request.MaxTokensParam);
        if (sequence.Request.AnswersParam > 0) RequestParamsN.Observe(sequence.Request.AnswersParam);
    }
}
