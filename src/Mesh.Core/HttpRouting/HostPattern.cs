namespace Mesh.Core.HttpRouting;

/// <summary>
/// A hostname of a listener or route: a name, a wildcard (<c>*.example.com</c>: one or more labels before the suffix) or any host.
/// Orders by specificity: names before wildcards before any, longer before shorter.
/// </summary>
internal readonly struct HostPattern : IComparable<HostPattern>, IEquatable<HostPattern>
{
    private readonly string? _name;

    private HostPattern(string? name) => _name = name;

    public static HostPattern Any => default;

    private bool IsAny => _name is null;

    private bool IsWildcard => _name is ['*', '.', ..];

    public static HostPattern Parse(string? text)
    {
        if (string.IsNullOrEmpty(text) || text == "*") return Any;
        return new HostPattern(text.TrimEnd('.').ToLowerInvariant());
    }

    /// <summary>Host without its port and without the root's dot.</summary>
    public static ReadOnlySpan<char> WithoutPort(string host)
    {
        var span = host.AsSpan();
        if (span is ['[', ..])
        {
            var close = span.IndexOf(']');
            return close < 0 ? span : span[..(close + 1)];
        }

        var colon = span.IndexOf(':');
        if (colon >= 0) span = span[..colon];
        return span.TrimEnd('.');
    }

    /// <param name="host">Host without port, of any case.</param>
    public bool Matches(ReadOnlySpan<char> host)
    {
        if (_name is null) return true;
        if (!IsWildcard) return host.Equals(_name, StringComparison.OrdinalIgnoreCase);
        var suffix = _name.AsSpan(1);
        return host.Length > suffix.Length && host.EndsWith(suffix, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>The hosts that both accept; null when there are none.</summary>
    public HostPattern? Intersect(HostPattern other)
    {
        if (IsAny) return other;
        if (other.IsAny) return this;
        if (IsWildcard && other.IsWildcard)
        {
            if (_name!.EndsWith(other._name.AsSpan(1), StringComparison.Ordinal)) return this;
            return other._name!.EndsWith(_name.AsSpan(1), StringComparison.Ordinal) ? other : null;
        }

        if (IsWildcard) return Matches(other._name) ? other : null;
        return other.Matches(_name) ? this : null;
    }

    public int CompareTo(HostPattern other)
    {
        var byKind = Kind.CompareTo(other.Kind);
        return byKind != 0 ? byKind : (other._name?.Length ?? 0).CompareTo(_name?.Length ?? 0);
    }

    public bool Equals(HostPattern other) => _name == other._name;

    public override bool Equals(object? obj) => obj is HostPattern other && Equals(other);

    public override int GetHashCode() => _name is null ? 0 : string.GetHashCode(_name, StringComparison.Ordinal);

    private int Kind => IsAny ? 2 : IsWildcard ? 1 : 0;
}
