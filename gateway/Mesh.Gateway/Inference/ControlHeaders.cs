using System.Collections.Immutable;
using Mesh.Core.Endpoints;

namespace Mesh.Gateway.Inference;

/// <summary>Headers by which a client steers the mesh. Each also goes by the prefix <c>x-llm-d-</c>.</summary>
internal static class ControlHeaders
{
    /// <summary>Response header: the endpoint that answered, as <c>ip:port</c>.</summary>
    public const string Served = "x-gateway-destination-endpoint-served";

    private const int MaxValueChars = 256;
    private const int MaxSubset = 1024;

    /// <summary>Objective that the request belongs to; null without one.</summary>
    public static string? Objective(IHeaderDictionary headers) =>
        Value(headers, "x-gateway-inference-objective", "x-llm-d-inference-objective");

    /// <summary>Flow for fairness; empty without one.</summary>
    public static string FairnessId(IHeaderDictionary headers) =>
        Value(headers, "x-gateway-inference-fairness-id", "x-llm-d-inference-fairness-id") ?? "";

    /// <summary>Endpoints that the request may go to; default when it may go to any. A list that names none allows none.</summary>
    public static ImmutableArray<EndpointId> Subset(IHeaderDictionary headers)
    {
        if (!headers.TryGetValue("x-gateway-destination-endpoint-subset", out var values)
            && !headers.TryGetValue("x-llm-d-destination-endpoint-subset", out values)) return default;
        var subset = ImmutableArray.CreateBuilder<EndpointId>();
        foreach (var value in values)
        {
            var list = value.AsSpan();
            foreach (var part in list.Split(','))
            {
                var address = list[part].Trim();
                if (address.IsEmpty) continue;
                if (subset.Count == MaxSubset) return subset.DrainToImmutable();
                subset.Add(new EndpointId(address.ToString()));
            }
        }

        return subset.DrainToImmutable();
    }

    // A value that is too long is no name that anybody configured.
    private static string? Value(IHeaderDictionary headers, string name, string alias)
    {
        if (!headers.TryGetValue(name, out var values) && !headers.TryGetValue(alias, out values)) return null;
        return values is [{ Length: > 0 and <= MaxValueChars } value, ..] ? value : null;
    }
}
