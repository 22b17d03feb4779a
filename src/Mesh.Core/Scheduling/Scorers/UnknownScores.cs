namespace Mesh.Core.Scheduling.Scorers;

/// <summary>What to do with candidates of which a rule knows nothing (NaN).</summary>
internal static class UnknownScores
{
    /// <summary>Gives each unknown candidate the mean of the known ones; all get 1 when none is known.</summary>
    public static void TakeMean(Span<double> scores)
    {
        var sum = 0d;
        var known = 0;
        foreach (var score in scores)
        {
            if (double.IsNaN(score)) continue;
            sum += score;
            known++;
        }

        if (known == scores.Length) return;
        var mean = known == 0 ? 1 : sum / known;
        foreach (ref var score in scores)
        {
            if (double.IsNaN(score)) score = mean;
        }
    }
}
