using System.Collections.Immutable;
using Mesh.Core.Config;

namespace Mesh.Core.HttpRouting;

/// <summary>One (hostname, match) of one rule. Sorted, the first that fits is the one that Gateway API's precedence names.</summary>
internal sealed class RouteEntry : IComparable<RouteEntry>
{
    private readonly HostPattern _host;
    private readonly PathMatcher _path;
    private readonly string? _method;
    private readonly ImmutableArray<ValueMatcher> _headers;
    private readonly ImmutableArray<ValueMatcher> _query;
    private readonly int _order;

    /// <param name="host">Hosts it takes.</param>
    /// <param name="match">What must hold.</param>
    /// <param name="target">Its rule.</param>
    /// <param name="order">Rank by age of the route, then rule, then match: the last tie-breaker.</param>
    public RouteEntry(HostPattern host, HttpRouteMatch match, RouteTarget target, int order)
    {
        _host = host;
        _path = new PathMatcher(match.PathType, match.Path);
        _method = match.Method;
        _headers = ValueMatcher.CompileAll(match.Headers, StringComparer.OrdinalIgnoreCase);
        _query = ValueMatcher.CompileAll(match.QueryParams, StringComparer.Ordinal);
        _order = order;
        Target = target;
    }

    public RouteTarget Target { get; }

    public int CompareTo(RouteEntry? other)
    {
        if (other is null) return -1;
        var c = _host.CompareTo(other._host);
        if (c == 0) c = _path.KindOrder.CompareTo(other._path.KindOrder);
        if (c == 0) c = other._path.Length.CompareTo(_path.Length);
        if (c == 0) c = (_method is null).CompareTo(other._method is null);
        if (c == 0) c = other._headers.Length.CompareTo(_headers.Length);
        if (c == 0) c = other._query.Length.CompareTo(_query.Length);
        return c == 0 ? _order.CompareTo(other._order) : c;
    }

    /// <summary>Cheapest tests first.</summary>
    public bool Matches<THead>(in THead head, ReadOnlySpan<char> host)
        where THead : struct, IRequestHead
    {
        if (_method is not null && !string.Equals(_method, head.Method, StringComparison.Ordinal)) return false;
        if (!_host.Matches(host) || !_path.Matches(head.Path)) return false;
        foreach (var header in _headers)
        {
            if (!header.Matches(head.GetHeader(header.Name))) return false;
        }

        foreach (var parameter in _query)
        {
            if (!parameter.Matches(head.GetQuery(parameter.Name))) return false;
        }

        return true;
    }
}
