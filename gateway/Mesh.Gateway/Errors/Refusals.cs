using System.Collections.Frozen;
using System.Text;
using Mesh.Core.Routing;

namespace Mesh.Gateway.Errors;

/// <summary>From the engine's refusal to the error that the client sees.</summary>
internal static class Refusals
{
    private static readonly FrozenDictionary<DecisionReason, string> Names = Enum.GetValues<DecisionReason>().ToFrozenDictionary(r => r, SnakeCase);

    /// <summary>Row of the table for a refusal; a reason without a row of its own answers as <see cref="GatewayErrors.Refused"/>.</summary>
    public static GatewayError ErrorFor(DecisionReason reason) => reason switch
    {
        DecisionReason.UnknownPool => GatewayErrors.RouteWithoutBackend,
        DecisionReason.NoEndpoints => GatewayErrors.NoEndpoints,
        DecisionReason.NoReadyEndpoint => GatewayErrors.NoReadyEndpoint,
        DecisionReason.UnknownModel => GatewayErrors.ModelNotFound,
        DecisionReason.AllAttemptsFailed => GatewayErrors.AllAttemptsFailed,
        _ => GatewayErrors.Refused,
    };

    /// <summary>The reason's stable name in snake case.</summary>
    public static string NameOf(DecisionReason reason) => Names.TryGetValue(reason, out var name) ? name : "refused";

    /// <summary>What the client reads.</summary>
    public static string MessageFor(DecisionReason reason, string pool, string? model) => reason switch
    {
        DecisionReason.UnknownPool => $"The route leads to pool {pool}, which no cluster exports.",
        DecisionReason.NoEndpoints => $"Pool {pool} has no endpoints.",
        DecisionReason.NoReadyEndpoint => $"No endpoint of pool {pool} is ready.",
        DecisionReason.UnknownModel => $"The model `{model}` does not exist.",
        DecisionReason.AllAttemptsFailed => $"Every endpoint of pool {pool} that was tried failed before it answered.",
        _ => $"Pool {pool} refused the request ({NameOf(reason)}).",
    };

    private static string SnakeCase(DecisionReason reason)
    {
        var text = new StringBuilder();
        foreach (var c in reason.ToString())
        {
            if (char.IsUpper(c) && text.Length > 0) text.Append('_');
            text.Append(char.ToLowerInvariant(c));
        }

        return text.ToString();
    }
}
