using System.Collections.Immutable;

namespace Mesh.Gateway.ExternalMetrics;

/// <summary>A Kubernetes label selector: <c>a=b</c>, <c>a==b</c>, <c>a!=b</c>, <c>a in (b,c)</c>, <c>a notin (b,c)</c>, <c>a</c>, <c>!a</c>, joined by commas, all of which must hold.</summary>
internal sealed class LabelSelector
{
    private const int MaxChars = 4096;
    private readonly ImmutableArray<Requirement> _requirements;

    private LabelSelector(ImmutableArray<Requirement> requirements) => _requirements = requirements;

    /// <summary>Takes everything.</summary>
    public static LabelSelector Everything { get; } = new([]);

    /// <summary>Reads a selector; null, with what is wrong, when it is none.</summary>
    public static LabelSelector? Parse(string? text, out string mistake)
    {
        mistake = "";
        if (string.IsNullOrWhiteSpace(text)) return Everything;
        if (text.Length > MaxChars)
        {
            mistake = $"labelSelector has more than {MaxChars} characters.";
            return null;
        }

        var requirements = ImmutableArray.CreateBuilder<Requirement>();
        foreach (var part in Split(text))
        {
            if (Read(part.Trim()) is { } requirement)
            {
                requirements.Add(requirement);
                continue;
            }

            mistake = $"labelSelector: `{part.Trim()}` is no requirement; write a=b, a!=b, a in (b,c), a notin (b,c), a or !a.";
            return null;
        }

        return new LabelSelector(requirements.ToImmutable());
    }

    /// <summary>True when some requirement speaks of the label.</summary>
    public bool Mentions(string label) => _requirements.Any(r => r.Label == label);

    /// <summary>True when all requirements hold.</summary>
    /// <param name="valueOf">Value of a label; null where it is absent.</param>
    public bool Matches(Func<string, string?> valueOf)
    {
        foreach (var requirement in _requirements)
        {
            var value = valueOf(requirement.Label);
            var holds = requirement.Kind switch
            {
                RequirementKind.In => value is not null && requirement.Values.Contains(value),
                RequirementKind.NotIn => value is null || !requirement.Values.Contains(value),
                RequirementKind.Exists => value is not null,
                _ => value is null,
            };
            if (!holds) return false;
        }

        return true;
    }

    private static List<string> Split(string text)
    {
        var parts = new List<string>();
        var depth = 0;
        var start = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '(') depth++;
            else if (text[i] == ')') depth--;
            else if (text[i] == ',' && depth == 0)
            {
                parts.Add(text[start..i]);
                start = i + 1;
            }
        }

        parts.Add(text[start..]);
        return parts;
    }

    private static Requirement? Read(string part)
    {
        if (part.EndsWith(')'))
        {
            var open = part.IndexOf('(', StringComparison.Ordinal);
            var words = open < 0 ? [] : part[..open].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words.Length != 2 || !IsName(words[0]) || words[1] is not ("in" or "notin")) return null;
            ImmutableArray<string> values = [.. part[(open + 1)..^1].Split(',', StringSplitOptions.TrimEntries)];
            return values.All(IsName) ? new Requirement(words[0], words[1] == "in" ? RequirementKind.In : RequirementKind.NotIn, values) : null;
        }

        if (part.StartsWith('!')) return IsName(part[1..].Trim()) ? new Requirement(part[1..].Trim(), RequirementKind.Absent, []) : null;
        var equals = part.IndexOf('=', StringComparison.Ordinal);
        if (equals < 0) return IsName(part) ? new Requirement(part, RequirementKind.Exists, []) : null;
        var isNot = equals > 0 && part[equals - 1] == '!';
        var label = part[..(isNot ? equals - 1 : equals)].Trim();
        var rest = part[(equals + 1)..];
        if (!isNot && rest.StartsWith('=')) rest = rest[1..];
        var value = rest.Trim();
        return IsName(label) && (value.Length == 0 || IsName(value)) ? new Requirement(label, isNot ? RequirementKind.NotIn : RequirementKind.In, [value]) : null;
    }

    private static bool IsName(string text)
    {
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.' or '/')) return false;
        }

        return text.Length > 0;
    }

    private enum RequirementKind
    {
        In,
        NotIn,
        Exists,
        Absent,
    }

    private sealed record Requirement(string Label, RequirementKind Kind, ImmutableArray<string> Values);
}
