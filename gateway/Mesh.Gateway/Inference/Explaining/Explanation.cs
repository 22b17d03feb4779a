using System.Globalization;
using System.Net;
using Mesh.Core.Routing;
using Mesh.Gateway.Errors;

namespace Mesh.Gateway.Inference.Explaining;

/// <summary>Tells a client on this machine how its request was placed, when it asks with <c>x-mesh-explain: 1</c>.</summary>
internal static class Explanation
{
    /// <summary>Adds the headers to an answer that has not started, where they were asked for.</summary>
    public static void AddTo(InferenceExchange exchange)
    {
        var context = exchange.Context;
        if (!context.Request.Headers.TryGetValue("x-mesh-explain", out var asked) || asked != "1") return;
        if (context.Connection.RemoteIpAddress is not { } address || !IsLoopback(address)) return;
        var headers = context.Response.Headers;
        if (exchange.Decision != DecisionReason.None) headers["x-mesh-decision-reason"] = Refusals.NameOf(exchange.Decision);
        headers["x-mesh-queue-wait-ms"] = Math.Round(exchange.QueueWait.TotalMilliseconds, 3).ToString(CultureInfo.InvariantCulture);
        headers["x-mesh-attempts"] = exchange.Attempts.ToString(CultureInfo.InvariantCulture);
    }

    private static bool IsLoopback(IPAddress address) => IPAddress.IsLoopback(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address);
}
