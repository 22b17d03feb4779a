using System.Globalization;
using Mesh.Core.Routing;
using Mesh.Gateway.Errors;

namespace Mesh.Gateway.Inference.Explaining;

/// <summary>Tells a client how its request was placed, when it asks with <c>x-mesh-explain: 1</c> and may (<see cref="Decisions.ExplainMode"/>).</summary>
internal static class Explanation
{
    /// <summary>Response header: the last decision on the request as JSON, at most 4 KiB.</summary>
    public const string DecisionHeader = "x-mesh-decision";

    /// <summary>Adds the headers to an answer that has not started, where they were asked for.</summary>
    public static void AddTo(InferenceExchange exchange)
    {
        if (!exchange.IsAsked) return;
        var headers = exchange.Context.Response.Headers;
        if (exchange.Decision != DecisionReason.None) headers["x-mesh-decision-reason"] = Refusals.NameOf(exchange.Decision);
        headers["x-mesh-queue-wait-ms"] = Math.Round(exchange.QueueWait.TotalMilliseconds, 3).ToString(CultureInfo.InvariantCulture);
        if (exchange.PeerRegion is { } peer) headers["x-mesh-forwarded-to"] = peer;
        headers["x-mesh-attempts"] = exchange.Attempts.ToString(CultureInfo.InvariantCulture);
        if (exchange.DecisionJson is { } json) headers[DecisionHeader] = json;
    }
}
