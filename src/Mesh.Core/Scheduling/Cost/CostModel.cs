using Mesh.Core.Config;

namespace Mesh.Core.Scheduling.Cost;

/// <summary>
/// The predicted cost of a request on an endpoint, in milliseconds:
/// <c>wait + own + (w − 1) · work + 3·step + p · pushed + kv + rtt + adapter</c>.
/// <list type="bullet">
/// <item><c>wait</c>: until the prompts that were sent there are computed.</item>
/// <item><c>own</c>: this prompt's uncached part there, with the streams that decode beside it, at the endpoint's learned speed.</item>
/// <item><c>work</c>: the same at the table's speed. <c>w = 2 + 2 · mean wait in seconds</c>: the busier the pool, the more a prompt that is
/// computed again takes from those who come later. Time on a slow endpoint is worth less to them, so that this part knows no speed.</item>
/// <item><c>step</c>: by how much a decode step there, with this stream in it, is longer than that of a stream alone. (Its growth by one
/// stream would be the harm done, but that falls with the number of streams, and would send everything to the busiest.)</item>
/// <item><c>pushed</c>: streams that it would push over the target of time per output token (<see cref="StreamSlack"/>). <c>p = 500 + 3,000 ·
/// (share of endpoints that could not begin at once)²</c>.</item>
/// <item><c>kv</c>: 0.05 for each token by which prompt and streams together go beyond 95% of the KV cache, where its size is known: the
/// engine lets the prompt, and all behind it, wait until streams have ended. Less in a busy pool (<see cref="KvShareAt"/>).</item>
/// <item><c>adapter</c>: how ready the endpoint is for the request's LoRA adapter (<see cref="Adapters.AdapterCost"/>).</item>
/// </list>
/// </summary>
internal sealed class CostModel(SchedulingConfig config)
{
    private const double WorkWeight = 1;
    private const double WorkWeightPerWaitSecond = 2;
    private const double StepWeight = 3;
    private const double PushedStreamMs = 500;
    private const double PushedStreamBusyMs = 3000;
    // Beyond what most tables measure, and as far as models go.
    private const int LongestPrompt = 131_072;
    private const double KvUsableShare = 0.95;
    private const double KvShortageMsPerToken = 0.05;
    // A stream's context where there is none to go by.
    private const int TypicalContextTokens = 2048;

    /// <summary>
    /// What a pushed stream costs, by the share of endpoints that could not begin a prompt at once: in an idle pool little more than its
    /// client notices; in a busy one it is the streams within their target that make the pool's work count.
    /// </summary>
    public static double PushedStreamMsAt(double busyShare) => PushedStreamMs + PushedStreamBusyMs * busyShare * busyShare;

    /// <summary>
    /// How much a shortage of KV cache counts at a mean wait: fully up to 0.5 s, and not at all from 1.5 s. There, every cache is full, and
    /// going by what is left of it would only take prompts from where they are cached.
    /// </summary>
    public static double KvShareAt(double meanWaitMs) => Math.Clamp(1.5 - meanWaitMs / 1000, 0, 1);

    /// <summary>Tokens that a KV cache has room for before prompts have to wait for it.</summary>
    public static double KvUsableTokens(long capacityTokens) => KvUsableShare * capacityTokens;

    /// <summary>What waiting for room in the KV cache costs.</summary>
    /// <param name="capacityTokens">Size of the cache; 0 when unknown.</param>
    /// <param name="neededTokens">What would be in it.</param>
    public static double KvShortageMs(long capacityTokens, long neededTokens)
    {
        if (capacityTokens == 0) return 0;
        var over = neededTokens - KvUsableTokens(capacityTokens);
        return over > 0 ? KvShortageMsPerToken * over : 0;
    }

    /// <summary>Time per output token that streams should keep to.</summary>
    public double TokenTargetMs { get; } = config.TimePerOutputTokenTarget.TotalMilliseconds;

    public WorkCurve Curve { get; } = new(config.StepTimes.WithLongPrompts(LongestPrompt));

    /// <summary>w − 1 at a mean wait.</summary>
    public static double WorkWeightAt(double meanWaitMs) => WorkWeight + WorkWeightPerWaitSecond * meanWaitMs / 1000;

    /// <summary>Cost of one more stream beside those that are there, what they add to a prefill step, and their step with and without it.</summary>
    /// <param name="streams">Streams there.</param>
    /// <param name="contextTokens">Their contexts together.</param>
    /// <param name="speed">Learned: the endpoint's times per token over the table's.</param>
    public (double CostMs, double IncrementMs, double StepMs, double NextStepMs) DecodeCosts(int streams, long contextTokens, double speed)
    {
        // The newcomer counts as long as those that are there: a longer one would raise their mean the less the more they are, and the
        // busiest endpoint would look cheapest.
        var mean = streams == 0 ? TypicalContextTokens : contextTokens / streams;
        var before = speed * Curve.DecodeMs(streams, contextTokens);
        var after = speed * Curve.DecodeMs(streams + 1, contextTokens + mean);
        return (StepWeight * Math.Max(0, after - Curve.DecodeMs(1, mean)), speed * Curve.BesidesPrefillMs(streams, contextTokens), before, after);
    }
}
