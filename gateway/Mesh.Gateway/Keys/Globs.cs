using System.Collections.Immutable;

namespace Mesh.Gateway.Keys;

/// <summary>Names with wildcards: <c>*</c> for any run of characters, <c>?</c> for one. Immutable; matching takes no memory and never backtracks by more than one star.</summary>
internal sealed class Globs
{
    /// <summary>Most patterns of one list.</summary>
    public const int Max = 256;

    private readonly ImmutableArray<string> _patterns;

    private Globs(ImmutableArray<string> patterns) => _patterns = patterns;

    /// <summary>Fits every name.</summary>
    public static Globs Any { get; } = new(default);

    /// <summary>The list; null stands for every name.</summary>
    public static Globs Of(IEnumerable<string>? patterns) => patterns is null ? Any : new Globs([.. patterns]);

    /// <summary>True when every name fits.</summary>
    public bool IsAny => _patterns.IsDefault;

    /// <summary>True when some pattern fits.</summary>
    public bool Matches(ReadOnlySpan<char> name)
    {
        if (_patterns.IsDefault) return true;
        foreach (var pattern in _patterns)
        {
            if (Matches(pattern, name)) return true;
        }

        return false;
    }

    private static bool Matches(ReadOnlySpan<char> pattern, ReadOnlySpan<char> name)
    {
        int p = 0, n = 0, star = -1, starAt = 0;
        while (n < name.Length)
        {
            if (p < pattern.Length && pattern[p] == '*')
            {
                star = p++;
                starAt = n;
            }
            else if (p < pattern.Length && (pattern[p] == '?' || pattern[p] == name[n]))
            {
                p++;
                n++;
            }
            else if (star >= 0)
            {
                // Only the last star need take more: whatever an earlier one could take, it can too.
                p = star + 1;
                n = ++starAt;
            }
            else
            {
                return false;
            }
        }

        return pattern[p..].TrimStart('*').IsEmpty;
    }
}
