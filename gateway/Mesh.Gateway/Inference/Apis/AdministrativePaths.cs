namespace Mesh.Gateway.Inference.Apis;

/// <summary>
/// Paths of model servers that no client may reach, however a route rewrites its path: a rewrite by prefix would otherwise let a client's
/// path choose them.
/// </summary>
internal static class AdministrativePaths
{
    private static readonly string[] Names =
    [
        "sleep", "wake_up", "is_sleeping", "pause", "resume", "is_paused", "abort_requests", "reset_prefix_cache", "reset_mm_cache",
        "reset_encoder_cache", "collective_rpc", "update_config", "update_weights", "init_weight_transfer_engine", "server_info",
        "load_lora_adapter", "unload_lora_adapter", "scale_elastic_ep", "is_scaling_elastic_ep", "start_profile", "stop_profile", "metrics",
        "load", "version", "docs", "redoc", "openapi.json", "invocations", "get_world_size",
    ];

    /// <summary>True for a path with an administrative name in any place, or with dots that could lead to one.</summary>
    /// <param name="path">Path as it would be sent, perhaps percent-encoded.</param>
    public static bool Contains(string path)
    {
        var text = path.AsSpan();
        if (path.Contains('%')) text = Decoded(path);
        foreach (var range in text.SplitAny('/', '\\', ';'))
        {
            var segment = text[range];
            if (segment is "." or "..") return true;
            foreach (var name in Names)
            {
                if (segment.Equals(name, StringComparison.OrdinalIgnoreCase)) return true;
            }
        }

        return false;
    }

    // Some servers decode twice; the bound stands for every number of times that changes anything here.
    private static string Decoded(string path)
    {
        for (var turn = 0; turn < 4 && path.Contains('%'); turn++) path = Uri.UnescapeDataString(path);
        return path;
    }
}
