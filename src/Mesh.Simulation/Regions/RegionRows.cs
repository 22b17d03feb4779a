using System.Globalization;

namespace Mesh.Simulation.Regions;

/// <summary>Writes a world's requests as CSV, so that what one of them waited for can be looked up.</summary>
internal static class RegionRows
{
    private const string Head =
        "policy,request,home,served_by,endpoint,arrived_ms,prompt_tokens,output_tokens,cached_tokens,own_queue_ms,way_and_peer_queue_ms,engine_ms,ttft_ms,tpot_ms,tried,reason";

    /// <summary>Writes, or adds, one line for each request.</summary>
    public static void Write(string path, string policy, RegionWorld world, bool append)
    {
        using var file = new StreamWriter(path, append);
        if (!append) file.WriteLine(Head);
        foreach (var request in world.Requests)
        {
            var row = request.Row;
            var tpot = row.OutputTokens > 1 ? (request.EndedMs - request.FirstByteMs) / (row.OutputTokens - 1) : 0;
            file.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{policy},{request.Number},{request.Home},{request.ServedBy},{request.Endpoint},{request.ArrivedMs:F1},{row.PromptTokens},{row.OutputTokens},{request.CachedTokens},{request.LeftHomeMs - request.ArrivedMs:F1},{request.PlacedMs - request.LeftHomeMs:F1},{request.FirstByteMs - request.PlacedMs:F1},{request.FirstByteMs - request.ArrivedMs:F1},{tpot:F2},{request.Tried.Count},{request.Reason}"));
        }
    }
}
