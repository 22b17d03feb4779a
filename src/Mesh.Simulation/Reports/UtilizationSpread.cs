using Mesh.Simulation.Model;

namespace Mesh.Simulation.Reports;

/// <summary>How evenly the work was spread, by the tokens that each endpoint computed and generated.</summary>
/// <param name="LeastToMean">The least busy endpoint's tokens over the mean, 0–1.</param>
/// <param name="MostToMean">The busiest endpoint's tokens over the mean, 1 and up.</param>
internal readonly record struct UtilizationSpread(double LeastToMean, double MostToMean)
{
    /// <summary>Reads the engines' counters at the end of a run.</summary>
    public static UtilizationSpread Of(ReadOnlySpan<VllmEngine> engines)
    {
        var (least, most, sum) = (double.PositiveInfinity, 0.0, 0.0);
        foreach (var engine in engines)
        {
            var tokens = (double)(engine.Metrics.PromptTokens - engine.Metrics.PromptTokensCached + engine.Metrics.GenerationTokens);
            least = Math.Min(least, tokens);
            most = Math.Max(most, tokens);
            sum += tokens;
        }

        return sum == 0 ? default : new UtilizationSpread(least * engines.Length / sum, most * engines.Length / sum);
    }
}
