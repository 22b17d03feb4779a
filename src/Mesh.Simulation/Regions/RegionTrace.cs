using Mesh.Simulation.Traces;
using Mesh.Simulation.World;

namespace Mesh.Simulation.Regions;

/// <summary>Gives a trace's sessions homes.</summary>
internal static class RegionTrace
{
    /// <summary>Each session comes to one region's gateway, regions getting their shares of the sessions.</summary>
    /// <param name="rows">The trace.</param>
    /// <param name="shares">Weight of each region, above 0 in sum.</param>
    public static IEnumerable<(TraceRequest Row, int Home, int Priority)> Spread(IEnumerable<TraceRequest> rows, double[] shares)
    {
        var sum = shares.Sum();
        foreach (var row in rows)
        {
            var drawn = (BlockHash.Mix(row.Session) >> 11) * (1.0 / (1UL << 53)) * sum;
            var home = 0;
            while (home < shares.Length - 1 && drawn >= shares[home]) drawn -= shares[home++];
            yield return (row, home, 0);
        }
    }

    /// <summary>Requests of one region at even distances, all alike.</summary>
    /// <param name="home">The region.</param>
    /// <param name="perSecond">Requests per second.</param>
    /// <param name="seconds">For how long.</param>
    /// <param name="promptTokens">Prompt of each.</param>
    /// <param name="outputTokens">Answer of each.</param>
    /// <param name="fromMs">When the first comes.</param>
    public static IEnumerable<(TraceRequest Row, int Home, int Priority)> Even(int home, double perSecond, double seconds, int promptTokens, int outputTokens, double fromMs = 0)
    {
        for (var i = 0; i < perSecond * seconds; i++)
        {
            yield return (new TraceRequest { ArrivalMs = fromMs + (1000 * i / perSecond), PromptTokens = promptTokens, OutputTokens = outputTokens, Session = (ulong)i + 1 }, home, 0);
        }
    }
}
