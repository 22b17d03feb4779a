using Mesh.Core.Config;

namespace Mesh.Core.Scheduling.Cost;

/// <summary>
/// The predicted cost of a request on an endpoint, in milliseconds:
/// <c>wait + own + (w − 1) · work + 3·step + 200·pushed + rtt + adapter</c>.
/// <list type="bullet">
/// <item><c>wait</c>: until the prompts that were sent there are computed.</item>
/// <item><c>own</c>: this prompt's uncached part there, with the streams that decode beside it, at the endpoint's learned speed.</item>
/// <item><c>work</c>: the same at the table's speed. <c>w = 2 + 2 · mean wait in seconds</c>: the busier the pool, the more a prompt that is
/// computed again takes from those who come later. Time on a slow endpoint is worth less to them, so that this part knows no speed.</item>
/// <item><c>step</c>: by how much a decode step there, with this stream in it, is longer than that of a stream alone. (Its growth by one
/// stream would be the harm done, but that falls with the number of streams, and would send everything to the busiest.)</item>
/// <item><c>pushed</c>: streams that it would push over the target of time per output token.</item>
/// <item><c>adapter</c>: how ready the endpoint is for the request's LoRA adapter (<see cref="AdapterCost"/>).</item>
/// </list>
/// </summary>
internal sealed class CostModel(SchedulingConfig config)
{
    private const double WorkWeight = 1;
    private const double WorkWeightPerWaitSecond = 2;
    private const double StepWeight = 3;
    private const double PushedStreamMs = 200;
    // A stream's context where there is none to go by.
    private const int TypicalContextTokens = 2048;
    private readonly double _tpotTargetMs = config.TimePerOutputTokenTarget.TotalMilliseconds;

    public WorkCurve Curve { get; } = new(config.StepTimes);

    /// <summary>w − 1 at a mean wait.</summary>
    public static double WorkWeightAt(double meanWaitMs) => WorkWeight + WorkWeightPerWaitSecond * meanWaitMs / 1000;

    /// <summary>Cost of one more stream beside those that are there, and what they add to a prefill step.</summary>
    public (double DecodeCostMs, double StepIncrementMs) DecodeCosts(int streams, long contextTokens)
    {
        // The newcomer counts as long as those that are there: a longer one would raise their mean the less the more they are, and the
        // busiest endpoint would look cheapest.
        var mean = streams == 0 ? TypicalContextTokens : contextTokens / streams;
        var before = Curve.DecodeMs(streams, contextTokens);
        var after = Curve.DecodeMs(streams + 1, contextTokens + mean);
        var pushed = after <= _tpotTargetMs ? 0 : before <= _tpotTargetMs ? streams + 1 : 1;
        return (StepWeight * Math.Max(0, after - Curve.DecodeMs(1, mean)) + PushedStreamMs * pushed, Curve.BesidesPrefillMs(streams, contextTokens));
    }
}
