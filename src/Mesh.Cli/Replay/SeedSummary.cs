using System.Collections.Immutable;
using Mesh.Simulation.Fleets;
using Mesh.Simulation.Reports;

namespace Mesh.Cli.Replay;

/// <summary>Runs that differ in nothing but the seed: their means, and how far those are to be trusted.</summary>
/// <param name="runs">The runs, at least two.</param>
internal sealed class SeedSummary(IReadOnlyList<RunFigures> runs)
{
    /// <summary>Seeds at most.</summary>
    public const int MostSeeds = 32;

    // Student's t for 95%, two-sided, with 1 to 31 degrees of freedom.
    private static readonly double[] T95 =
    [
        12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
        2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042, 2.040,
    ];

    /// <summary>The means of all figures, as one run; requests and flows are rounded.</summary>
    public RunFigures Means { get; } = runs[0] with
    {
        Requests = Rounded(runs, r => r.Requests),
        Refused = Rounded(runs, r => r.Refused),
        RefusedBy = runs.SelectMany(r => r.RefusedBy.Keys).Distinct().ToImmutableSortedDictionary(k => k, k => Rounded(runs, r => r.RefusedBy.GetValueOrDefault(k)), StringComparer.Ordinal),
        OfferedPerSecond = runs.Average(r => r.OfferedPerSecond),
        GoodputPerSecond = runs.Average(r => r.GoodputPerSecond),
        GoodputShare = runs.Average(r => r.GoodputShare),
        TtftMs = MeanOf(runs, r => r.TtftMs),
        TpotMs = MeanOf(runs, r => r.TpotMs),
        E2eMs = MeanOf(runs, r => r.E2eMs),
        PrefixHitRatio = runs.Average(r => r.PrefixHitRatio),
        LeastToMeanTokens = runs.Average(r => r.LeastToMeanTokens),
        MostToMeanTokens = runs.Average(r => r.MostToMeanTokens),
        CrossRegionShare = runs.Average(r => r.CrossRegionShare),
        CostPerMillionGoodTokens = runs.Average(r => r.CostPerMillionGoodTokens),
        Flows = [.. runs[0].Flows.Select((row, from) => row.Select((_, to) => (long)Math.Round(runs.Average(r => r.Flows[from][to]))).ToImmutableArray())],
    };

    /// <summary>A line that says by how much the mean of another choice of as many seeds may differ.</summary>
    public string Line()
    {
        var m = Means;
        return ReplayText.Number(
            $"{ReplayText.Name(m)}, {runs.Count} seeds, mean ± 95%: goodput/s {m.GoodputPerSecond:0.00} ± {HalfWidth(r => r.GoodputPerSecond):0.00}, within SLO {m.GoodputShare * 100:0.0}% ± {HalfWidth(r => r.GoodputShare * 100):0.0}, TTFT ms p50 {m.TtftMs.P50:0} ± {HalfWidth(r => r.TtftMs.P50):0}, p90 {m.TtftMs.P90:0} ± {HalfWidth(r => r.TtftMs.P90):0}, p99 {m.TtftMs.P99:0} ± {HalfWidth(r => r.TtftMs.P99):0}, TPOT ms p90 {m.TpotMs.P90:0.0} ± {HalfWidth(r => r.TpotMs.P90):0.0}");
    }

    /// <summary>Half the width of the 95% confidence interval of a figure's mean.</summary>
    public double HalfWidth(Func<RunFigures, double> read)
    {
        var mean = runs.Average(read);
        var squares = runs.Sum(r => (read(r) - mean) * (read(r) - mean));
        return T95[runs.Count - 2] * Math.Sqrt(squares / (runs.Count - 1) / runs.Count);
    }

    private static int Rounded(IReadOnlyList<RunFigures> runs, Func<RunFigures, int> read) => (int)Math.Round(runs.Average(read));

    private static Percentiles MeanOf(IReadOnlyList<RunFigures> runs, Func<RunFigures, Percentiles> read) =>
        new(runs.Average(r => read(r).Mean), runs.Average(r => read(r).P50), runs.Average(r => read(r).P90), runs.Average(r => read(r).P99));
}
