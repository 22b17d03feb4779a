using Mesh.Gateway.Limits;

namespace Mesh.Gateway.Keys;

/// <summary>From entries to callers, with every mistake at once.</summary>
internal sealed class KeyEntries(RateTable rates, List<string> problems)
{
    private const int MaxRequests = 100_000_000;
    private const int MaxTokens = 2_000_000_000;
    private const int MaxConcurrent = 1_000_000;
    private const int MaxNameChars = 256;

    /// <summary>What an entry allows; problems are added to the list, each beginning with <paramref name="where"/>.</summary>
    /// <param name="entry">Entry.</param>
    /// <param name="id">Name of the caller, under which its rates are kept.</param>
    /// <param name="where">Where the entry stands.</param>
    public Caller CallerFor(KeyEntry entry, string id, string where)
    {
        var requests = InRange(entry.RequestsPerMinute, MaxRequests, "requestsPerMinute", where);
        var tokens = InRange(entry.TokensPerMinute, MaxTokens, "tokensPerMinute", where);
        var concurrent = InRange(entry.MaxConcurrentRequests, MaxConcurrent, "maxConcurrentRequests", where);
        if (entry.FairnessId is { } flow && flow.Length is 0 or > MaxNameChars) problems.Add($"{where}: fairnessId must have 1–{MaxNameChars} characters.");
        return new Caller
        {
            Id = id,
            Roles = RolesOf(entry.Roles, where),
            Models = GlobsOf(entry.Models, "models", where),
            Objectives = GlobsOf(entry.Objectives, "objectives", where),
            MaxPriority = entry.MaxPriority,
            FairnessId = entry.FairnessId,
            NotAfter = entry.NotAfter ?? DateTimeOffset.MaxValue,
            Rates = requests is null && tokens is null && concurrent is null ? null : rates.For(id, requests, tokens, concurrent),
        };
    }

    private KeyRoles RolesOf(string[]? names, string where)
    {
        if (names is null) return KeyRoles.Inference;
        var roles = KeyRoles.None;
        foreach (var name in names)
        {
            switch (name)
            {
                case "inference":
                    roles |= KeyRoles.Inference;
                    break;
                case "reader":
                    roles |= KeyRoles.Reader;
                    break;
                case "operator":
                    roles |= KeyRoles.Operator | KeyRoles.Reader;
                    break;
                default:
                    problems.Add($"{where}: roles has '{name}'; roles are inference, reader and operator.");
                    break;
            }
        }

        return roles;
    }

    private Globs GlobsOf(string[]? patterns, string field, string where)
    {
        if (patterns?.Length > Globs.Max) problems.Add($"{where}: {field} has {patterns.Length} patterns; {Globs.Max} are allowed.");
        if (patterns?.Any(p => p is not { Length: > 0 and <= MaxNameChars }) == true) problems.Add($"{where}: a pattern of {field} must have 1–{MaxNameChars} characters.");
        return Globs.Of(patterns);
    }

    private int? InRange(int? value, int most, string field, string where)
    {
        if (value is null || (value >= 1 && value <= most)) return value;
        problems.Add($"{where}: {field} is {value}; it must be in 1–{most}.");
        return null;
    }
}
