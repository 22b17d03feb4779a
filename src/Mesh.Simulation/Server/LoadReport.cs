using System.Globalization;
using Mesh.Simulation.Model;
using Microsoft.AspNetCore.Http;

namespace Mesh.Simulation.Server;

/// <summary>The load report that a response carries when the request asks for it.</summary>
internal static class LoadReport
{
    public const string FormatHeader = "endpoint-load-metrics-format";
    public const string ReportHeader = "endpoint-load-metrics";

    /// <summary>Adds the header when the request names a known format; an unknown one is passed over, as vLLM does.</summary>
    public static void Add(HttpContext context, EngineHost host)
    {
        var format = context.Request.Headers[FormatHeader].ToString();
        var isJson = format.Equals("json", StringComparison.OrdinalIgnoreCase);
        if (!isJson && !format.Equals("text", StringComparison.OrdinalIgnoreCase)) return;
        host.Read((context, isJson), static (engine, state) => state.context.Response.Headers[ReportHeader] = Write(engine, state.isJson));
    }

    private static string Write(VllmEngine engine, bool isJson) => isJson
        ? string.Create(CultureInfo.InvariantCulture, $"JSON {{\"named_metrics\":{{\"kv_cache_usage_perc\":{engine.KvUtilizationRatio},\"num_requests_waiting\":{engine.Waiting}}}}}")
        : string.Create(CultureInfo.InvariantCulture, $"TEXT named_metrics.kv_cache_usage_perc={engine.KvUtilizationRatio}, named_metrics.num_requests_waiting={engine.Waiting}");
}
