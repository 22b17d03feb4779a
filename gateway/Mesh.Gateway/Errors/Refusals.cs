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
        DecisionReason.TooManyLeases => GatewayErrors.TooManyLeases,
        DecisionReason.Saturated or DecisionReason.PriorityShed or DecisionReason.QueueFull
            or DecisionReason.QueueEvicted or DecisionReason.QueueTimeout or DecisionReason.PeerFull => GatewayErrors.Saturated,
        _ => GatewayErrors.Refused,
    };

    /// <summary>The engine's own reason in snake case where the row stands for several; null where the row's is the one.</summary>
    public static string? ReasonFor(DecisionReason reason)
    {
        var error = ErrorFor(reason);
        if (error != GatewayErrors.Saturated && error != GatewayErrors.Refused) return null;
        return NameOf(reason);
    }

    /// <summary>A reason in snake case.</summary>
    public static string NameOf(DecisionReason reason) => Names.TryGetValue(reason, out var name) ? name : "unknown";

    /// <summary>The reason of a name; <see cref="DecisionReason.None"/> for an unknown one.</summary>
    public static DecisionReason ReasonNamed(string? name)
    {
        foreach (var (reason, known) in Names)
        {
            if (known == name) return reason;
        }

        return DecisionReason.None;
    }

    /// <summary>What the client reads.</summary>
    public static string MessageFor(DecisionReason reason, string pool, string? model) => reason switch
    {
        DecisionReason.UnknownPool => $"The route leads to pool {pool}, which no cluster exports.",
        DecisionReason.NoEndpoints => $"Pool {pool} has no endpoints.",
        DecisionReason.NoReadyEndpoint => $"No endpoint of pool {pool} is ready.",
        DecisionReason.UnknownModel => $"The model `{model}` does not exist.",
        DecisionReason.AllAttemptsFailed => $"Every endpoint of pool {pool} that was tried failed before it answered.",
        DecisionReason.TooManyLeases => $"Pool {pool} has as many requests under way as it may.",
        DecisionReason.Saturated => $"Pool {pool} is at its target and lets no request wait.",
        DecisionReason.PriorityShed => $"Pool {pool} is at its target; requests of negative priority are turned away.",
        DecisionReason.QueueFull => $"Pool {pool} is at its target and its queue is full.",
        DecisionReason.QueueEvicted => $"The request gave up its place in the queue of pool {pool} to one of higher priority.",
        DecisionReason.PeerFull => $"Pool {pool} has no room for requests of other regions now.",
        DecisionReason.TooManyHops => "The request has been sent on by more regions than one.",
        DecisionReason.QueueTimeout => $"The request waited for pool {pool} as long as it may.",
        DecisionReason.EngineUnreachable => $"Nobody who places requests of pool {pool} can be reached.",
        _ => $"Pool {pool} refused the request.",
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
