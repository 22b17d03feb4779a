using System.Text.Json;

namespace Mesh.Cli.Live;

/// <summary>Which items a command shows: <c>field=value</c>, <c>field!=value</c>, joined by commas, all of which must hold; <c>*</c> at an end of a value stands for anything.</summary>
internal sealed class FieldSelector
{
    private readonly List<(string Field, bool Not, string Value)> _terms = [];

    /// <summary>Reads a selector; null, with what is wrong, when it is none.</summary>
    public static FieldSelector? Parse(string? text, out string mistake)
    {
        mistake = "";
        var selector = new FieldSelector();
        foreach (var term in (text ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var at = term.IndexOf('=', StringComparison.Ordinal);
            var isNot = at > 0 && term[at - 1] == '!';
            var field = at < 0 ? "" : term[..(isNot ? at - 1 : at)].Trim();
            if (field.Length == 0)
            {
                mistake = $"Option -l has {term}; write field=value or field!=value, such as state=ready,cluster!=gke-west.";
                return null;
            }

            selector._terms.Add((field, isNot, term[(at + 1)..].TrimStart('=').Trim()));
        }

        return selector;
    }

    /// <summary>True when all of it holds.</summary>
    public bool Matches(JsonElement item)
    {
        foreach (var (field, isNot, value) in _terms)
        {
            var found = Field.At(item, field) is { } element && IsLike(Field.Plain(element), value);
            if (found == isNot) return false;
        }

        return true;
    }

    /// <summary>A field that no item has; null when all are known.</summary>
    public string? Unknown(IReadOnlyList<JsonElement> items) =>
        items.Count == 0 ? null : _terms.Select(t => t.Field).FirstOrDefault(f => !items.Any(i => Field.At(i, f) is not null));

    private static bool IsLike(string text, string pattern)
    {
        var (starts, ends) = (pattern.StartsWith('*'), pattern.Length > 1 && pattern.EndsWith('*'));
        var bare = pattern.Trim('*');
        if (starts && ends) return text.Contains(bare, StringComparison.Ordinal);
        if (starts) return text.EndsWith(bare, StringComparison.Ordinal);
        return ends ? text.StartsWith(bare, StringComparison.Ordinal) : text == pattern;
    }
}
