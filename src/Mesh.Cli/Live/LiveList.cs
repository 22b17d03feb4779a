using System.Text.Json;
using Mesh.Cli.Output;
using Mesh.Cli.Serving;
using Mesh.Resources.Reading;

namespace Mesh.Cli.Live;

/// <summary>What a list command asks for: which items, in which order.</summary>
internal sealed record LiveQuery
{
    /// <summary>Kind.</summary>
    public required LiveKind Kind { get; init; }

    /// <summary>Only these; empty for all.</summary>
    public string[] Names { get; init; } = [];

    /// <summary>Only of this namespace; null for all.</summary>
    public string? Namespace { get; init; }

    /// <summary>Only those that match.</summary>
    public FieldSelector? Selector { get; init; }

    /// <summary>Field to sort by, the greatest first after a minus; null for the gateway's order.</summary>
    public string? SortBy { get; init; }

    /// <summary>Extra parameters of the question.</summary>
    public string Parameters { get; init; } = "";
}

/// <summary>Reads lists from a gateway, page by page.</summary>
internal sealed class LiveList(ToolConsole console, AdminServer server)
{
    private const int PageSize = 1000;
    private const int MostItems = 200_000;

    /// <summary>The items; null when there is no answer, or a name that nothing has, which has then been told of.</summary>
    public async Task<List<JsonElement>?> ReadAsync(LiveQuery query, CancellationToken cancellationToken)
    {
        if (await AllAsync(query, cancellationToken) is not { } all) return null;
        var kind = query.Kind;
        if (query.Namespace is { } space && kind.Namespace is { } of) all.RemoveAll(i => of(i) != space);
        if (query.Selector is { } selector)
        {
            if (selector.Unknown(all) is { } field)
            {
                UnknownField("-l", field, kind, all);
                return null;
            }

            all.RemoveAll(i => !selector.Matches(i));
        }

        foreach (var name in query.Names)
        {
            if (all.Exists(i => IsNamed(kind, i, name))) continue;
            UnknownName(kind, name, all);
            return null;
        }

        if (query.Names.Length > 0) all.RemoveAll(i => !query.Names.Any(n => IsNamed(kind, i, n)));
        return query.SortBy is { } sort ? Sorted(all, sort, kind) : all;
    }

    /// <summary>True when a person may mean the item by that name.</summary>
    public static bool IsNamed(LiveKind kind, JsonElement item, string name) => kind.Name(item) == name || kind.Aliases(item).Contains(name);

    private async Task<List<JsonElement>?> AllAsync(LiveQuery query, CancellationToken cancellationToken)
    {
        var kind = query.Kind;
        var all = new List<JsonElement>();
        while (true)
        {
            var parameters = kind.HasPages ? $"?limit={PageSize}&offset={all.Count}{query.Parameters}" : $"?limit={PageSize}{query.Parameters}";
            if (kind.Path.EndsWith("drains", StringComparison.Ordinal)) parameters = "";
            if (await server.GetAsync(kind.Path + parameters, kind.Plural, cancellationToken) is not { } answer) return null;
            if (!answer.TryGetProperty(kind.Items, out var items) || items.ValueKind != JsonValueKind.Array)
            {
                console.Problem($"{server.Address}: the answer has no {kind.Items}", "compare the gateway's version with mesh version");
                return null;
            }

            var before = all.Count;
            all.AddRange(items.EnumerateArray());
            if (!kind.HasPages || all.Count == before || all.Count >= MostItems || !(Field.Double(answer, "total") > all.Count)) return all;
        }
    }

    private List<JsonElement>? Sorted(List<JsonElement> all, string sort, LiveKind kind)
    {
        var field = sort.TrimStart('-');
        if (all.Count > 0 && !all.Exists(i => Field.At(i, field) is not null))
        {
            UnknownField("--sort-by", field, kind, all);
            return null;
        }

        // What is absent comes last either way.
        var known = all.Where(i => Field.At(i, field) is not null);
        var ordered = sort.StartsWith('-')
            ? known.OrderByDescending(i => Field.Double(i, field) ?? double.MinValue).ThenByDescending(i => Field.Text(i, field), StringComparer.Ordinal)
            : known.OrderBy(i => Field.Double(i, field) ?? double.MinValue).ThenBy(i => Field.Text(i, field), StringComparer.Ordinal);
        return [.. ordered, .. all.Where(i => Field.At(i, field) is null)];
    }

    private void UnknownName(LiveKind kind, string name, List<JsonElement> all)
    {
        const int Most = 20;
        var names = all.Select(kind.Name).Distinct().ToList();
        var known = names.Concat(all.SelectMany(kind.Aliases)).Distinct().ToList();
        // A part of one name alone is meant for it.
        var parts = names.Where(n => n.Contains(name, StringComparison.OrdinalIgnoreCase)).ToList();
        var nearest = NearestName.Of(name, known) ?? (parts.Count == 1 ? parts[0] : null);
        var shown = string.Join(", ", names.Take(Most)) + (names.Count > Most ? $" and {names.Count - Most} more" : "");
        console.Problem(
            $"There is no {kind.Singular} {name}{(nearest is null ? "" : $"; did you mean {nearest}?")}",
            names.Count == 0 ? $"there are no {kind.Plural} at {server.Address}" : $"{kind.Plural} are {shown}");
    }

    private void UnknownField(string option, string field, LiveKind kind, List<JsonElement> all)
    {
        var fields = all.SelectMany(i => i.EnumerateObject()).Where(p => p.Value.ValueKind is not (JsonValueKind.Array or JsonValueKind.Object)).Select(p => p.Name).Distinct().ToList();
        var nearest = NearestName.Of(field, fields);
        console.Problem($"Option {option}: no {kind.Singular} has a field {field}{(nearest is null ? "" : $"; did you mean {nearest}?")}", $"fields are {string.Join(", ", fields)}");
    }
}
