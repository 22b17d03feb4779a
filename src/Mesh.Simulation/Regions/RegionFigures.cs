using Mesh.Simulation.Reports;

namespace Mesh.Simulation.Regions;

/// <summary>Figures of one run.</summary>
/// <param name="Requests">Requests that came.</param>
/// <param name="Refused">Those turned away.</param>
/// <param name="GoodputPerSecond">Requests within the target per second.</param>
/// <param name="Ttft">Time to first token, in ms.</param>
/// <param name="Forwarded">Share served by another region than the one it came to.</param>
/// <param name="CachedShare">Share of prompt tokens that were cached.</param>
internal sealed record RegionFigures(int Requests, int Refused, double GoodputPerSecond, Percentiles Ttft, double Forwarded, double CachedShare)
{
    /// <summary>Reads them from a world that has run.</summary>
    public static RegionFigures Of(RegionWorld world, SloTarget slo)
    {
        var ttft = new List<double>();
        var (good, forwarded, refused) = (0, 0, 0);
        long cached = 0, prompt = 0;
        foreach (var request in world.Requests)
        {
            if (request.End != RegionEnd.Served)
            {
                refused++;
                continue;
            }

            var first = request.FirstByteMs - request.ArrivedMs;
            ttft.Add(first);
            var tokens = request.Row.OutputTokens;
            var tpot = tokens > 1 ? (request.EndedMs - request.FirstByteMs) / (tokens - 1) : 0;
            if (first <= slo.TtftMs && tpot <= slo.TpotMs) good++;
            if (request.ServedBy != request.Home) forwarded++;
            prompt += request.Row.PromptTokens;
            cached += request.CachedTokens;
        }

        var seconds = (world.Requests[^1].ArrivedMs - world.Requests[0].ArrivedMs) / 1000;
        return new RegionFigures(
            world.Requests.Count, refused, good / Math.Max(1e-9, seconds), Percentiles.Of(ttft), (double)forwarded / Math.Max(1, ttft.Count), (double)cached / Math.Max(1, prompt));
    }
}
