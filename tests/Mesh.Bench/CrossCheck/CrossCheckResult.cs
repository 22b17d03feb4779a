using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Mesh.Bench.CrossCheck;

/// <summary>Figures of one side; times in milliseconds.</summary>
internal sealed record CrossCheckSide(long Requests, long Failed, double TtftP50, double TtftP90, double TtftP99, double TpotP50, double E2eP50, double PrefixHitRatio);

/// <summary>Both sides.</summary>
/// <param name="Real">Over HTTP, in real time.</param>
/// <param name="Virtual">In the virtual world.</param>
/// <param name="LatenessP99Ms">How late the load generator was: more than a few milliseconds, and the machine was too busy to tell.</param>
internal sealed record CrossCheckResult(CrossCheckSide Real, CrossCheckSide Virtual, double LatenessP99Ms)
{
    /// <summary>Takes the figures from what the two commands wrote.</summary>
    public static CrossCheckResult Of(JsonElement load, JsonElement replay)
    {
        var requests = load.GetProperty("requests");
        var share = load.GetProperty("tokens").TryGetProperty("cachedShare", out var cached) && cached.ValueKind == JsonValueKind.Number ? cached.GetDouble() : 0;
        var real = new CrossCheckSide(
            requests.GetProperty("planned").GetInt64(), requests.GetProperty("failed").GetInt64(),
            Ms(load, "ttft", "p50"), Ms(load, "ttft", "p90"), Ms(load, "ttft", "p99"), Ms(load, "tpot", "p50"), Ms(load, "endToEnd", "p50"), share);
        var virtually = new CrossCheckSide(
            replay.GetProperty("requests").GetInt64(), replay.GetProperty("refused").GetInt64(),
            Ms(replay, "ttftMs", "p50"), Ms(replay, "ttftMs", "p90"), Ms(replay, "ttftMs", "p99"), Ms(replay, "tpotMs", "p50"), Ms(replay, "e2eMs", "p50"),
            replay.GetProperty("prefixHitRatio").GetDouble());
        return new CrossCheckResult(real, virtually, Ms(load, "generatorLateness", "p99"));
    }

    /// <summary>Whether the median and the 90th percentile of the time to the first token differ by no more than a share of the virtual figure.</summary>
    public bool Agrees(double tolerance) =>
        Real.Failed == 0 && Real.Requests == Virtual.Requests
        && Math.Abs(Real.TtftP50 / Virtual.TtftP50 - 1) <= tolerance && Math.Abs(Real.TtftP90 / Virtual.TtftP90 - 1) <= tolerance;

    /// <summary>A table.</summary>
    public string ToText(CrossCheckOptions options)
    {
        var text = new StringBuilder();
        text.AppendLine(Invariant($"{options.Endpoints} endpoints, {options.Seconds:0} s at {options.Rate / options.SlowDown:0.##}/s, steps {options.SlowDown:0.##} times as long as measured, seed {options.Seed}"));
        text.AppendLine("           requests failed  TTFT p50       p90       p99  TPOT p50  e2e p50  prefix hits");
        foreach (var (name, side) in new[] { ("real", Real), ("virtual", Virtual) })
        {
            text.AppendLine(Invariant(
                $"{name,-10} {side.Requests,8} {side.Failed,6} {side.TtftP50,9:0.0} {side.TtftP90,9:0.0} {side.TtftP99,9:0.0} {side.TpotP50,9:0.00} {side.E2eP50,8:0} {100 * side.PrefixHitRatio,11:0.0}%"));
        }

        text.AppendLine(Invariant(
            $"difference                 {100 * (Real.TtftP50 / Virtual.TtftP50 - 1),8:+0.0;-0.0}% {100 * (Real.TtftP90 / Virtual.TtftP90 - 1),8:+0.0;-0.0}% {100 * (Real.TtftP99 / Virtual.TtftP99 - 1),8:+0.0;-0.0}% {100 * (Real.TpotP50 / Virtual.TpotP50 - 1),8:+0.0;-0.0}% {100 * (Real.E2eP50 / Virtual.E2eP50 - 1),7:+0.0;-0.0}%"));
        text.AppendLine(Invariant($"the generator was {LatenessP99Ms:0.0} ms late at p99; {(Agrees(options.Tolerance) ? "they agree" : "they do NOT agree")} within {100 * options.Tolerance:0}%"));
        return text.ToString();
    }

    private static double Ms(JsonElement report, string figure, string percentile) => report.GetProperty(figure).GetProperty(percentile).GetDouble();

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
