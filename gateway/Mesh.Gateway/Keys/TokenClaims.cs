using System.Text.Json;
using Mesh.Gateway.Limits;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Mesh.Gateway.Keys;

/// <summary>What a verified token may, by its claims: <c>mesh_roles</c>, <c>mesh_models</c>, <c>mesh_objectives</c> (lists, or texts with blanks between), <c>mesh_requests_per_minute</c>,
/// <c>mesh_tokens_per_minute</c>, <c>mesh_max_concurrent_requests</c>, <c>mesh_max_priority</c> and <c>mesh_fairness_id</c>. A claim that is missing takes its value from the defaults.</summary>
internal static class TokenClaims
{
    /// <summary>The caller; null when a claim has no meaning: guessing what was meant could open too much.</summary>
    public static Caller? CallerFor(JsonWebToken token, KeyEntry defaults, RateTable rates)
    {
        var problems = new List<string>();
        // Read as it stands: the library changes the types of some claims, and one that is overlooked could open too much.
        using var payload = JsonDocument.Parse(Base64UrlEncoder.DecodeBytes(token.EncodedPayload));
        var claims = payload.RootElement;
        var entry = new KeyEntry
        {
            Roles = Names(claims, "mesh_roles", defaults.Roles, problems),
            Models = Names(claims, "mesh_models", defaults.Models, problems),
            Objectives = Names(claims, "mesh_objectives", defaults.Objectives, problems),
            RequestsPerMinute = Number(claims, "mesh_requests_per_minute", defaults.RequestsPerMinute, problems),
            TokensPerMinute = Number(claims, "mesh_tokens_per_minute", defaults.TokensPerMinute, problems),
            MaxConcurrentRequests = Number(claims, "mesh_max_concurrent_requests", defaults.MaxConcurrentRequests, problems),
            MaxPriority = Number(claims, "mesh_max_priority", defaults.MaxPriority, problems),
            FairnessId = Text(claims, "mesh_fairness_id", defaults.FairnessId, problems),
        };
        // Subjects are of another kind than the names of keys, and must not use up what those may.
        var caller = problems.Count > 0 ? null : new KeyEntries(rates, problems).CallerFor(entry, "sub:" + token.Subject, "token");
        return problems.Count > 0 ? null : caller;
    }

    private static string[]? Names(JsonElement claims, string claim, string[]? otherwise, List<string> problems)
    {
        if (!claims.TryGetProperty(claim, out var value)) return otherwise;
        if (value.ValueKind == JsonValueKind.String) return value.GetString()!.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(e => e.ValueKind == JsonValueKind.String))
        {
            return [.. value.EnumerateArray().Select(e => e.GetString()!)];
        }

        problems.Add(claim);
        return null;
    }

    private static int? Number(JsonElement claims, string claim, int? otherwise, List<string> problems)
    {
        if (!claims.TryGetProperty(claim, out var value)) return otherwise;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number)) return number;
        problems.Add(claim);
        return null;
    }

    private static string? Text(JsonElement claims, string claim, string? otherwise, List<string> problems)
    {
        if (!claims.TryGetProperty(claim, out var value)) return otherwise;
        if (value.ValueKind == JsonValueKind.String) return value.GetString();
        problems.Add(claim);
        return null;
    }
}
