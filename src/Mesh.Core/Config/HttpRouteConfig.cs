using System.Collections.Immutable;

namespace Mesh.Core.Config;

/// <summary>One HTTPRoute.</summary>
public sealed record HttpRouteConfig
{
    /// <summary>Namespace.</summary>
    public required string Namespace { get; init; }

    /// <summary>Name.</summary>
    public required string Name { get; init; }

    /// <summary>Gateways it attaches to.</summary>
    public ImmutableArray<ParentRefConfig> Parents { get; init; } = [];

    /// <summary>Hosts, a leading <c>*.</c> being a wildcard; empty takes the listener's.</summary>
    public ImmutableArray<string> Hostnames { get; init; } = [];

    /// <summary>Rules in the manifest's order.</summary>
    public ImmutableArray<HttpRouteRule> Rules { get; init; } = [];
}

/// <summary>Where a route attaches.</summary>
/// <param name="Namespace">Namespace of the Gateway.</param>
/// <param name="Name">Name of the Gateway.</param>
/// <param name="SectionName">One listener; null means all.</param>
/// <param name="Port">Listeners of this port; null means all.</param>
public sealed record ParentRefConfig(string Namespace, string Name, string? SectionName, int? Port);

/// <summary>One rule: any of its matches selects it.</summary>
public sealed record HttpRouteRule
{
    /// <summary>Alternatives; empty matches everything.</summary>
    public ImmutableArray<HttpRouteMatch> Matches { get; init; } = [];

    /// <summary>Pools with their weights.</summary>
    public ImmutableArray<BackendRefConfig> BackendRefs { get; init; } = [];

    /// <summary><c>timeouts.request</c>; null leaves the pool's.</summary>
    public TimeSpan? RequestTimeout { get; init; }

    /// <summary><c>timeouts.backendRequest</c>: one attempt at one endpoint; null leaves it to the request's time-out.</summary>
    public TimeSpan? BackendRequestTimeout { get; init; }

    /// <summary>Filters of the rule.</summary>
    public HttpRouteFiltersConfig Filters { get; init; } = HttpRouteFiltersConfig.None;
}

/// <summary>A pool that a rule sends to.</summary>
/// <param name="Pool">The import.</param>
/// <param name="Weight">Share among the rule's refs; 0 gets nothing.</param>
public sealed record BackendRefConfig(PoolId Pool, int Weight = 1)
{
    /// <summary>Filters of requests that go to this ref, applied after the rule's.</summary>
    public HttpRouteFiltersConfig Filters { get; init; } = HttpRouteFiltersConfig.None;
}

/// <summary>One match: all parts that are set must hold.</summary>
public sealed record HttpRouteMatch
{
    /// <summary>How the path is compared.</summary>
    public PathMatchType PathType { get; init; } = PathMatchType.PathPrefix;

    /// <summary>Path, prefix or pattern.</summary>
    public string Path { get; init; } = "/";

    /// <summary>HTTP method; null matches any.</summary>
    public string? Method { get; init; }

    /// <summary>Headers that must all match; names are case-insensitive.</summary>
    public ImmutableArray<NamedMatch> Headers { get; init; } = [];

    /// <summary>Query parameters that must all match.</summary>
    public ImmutableArray<NamedMatch> QueryParams { get; init; } = [];
}

/// <summary>One header or query match.</summary>
/// <param name="Name">Header or parameter.</param>
/// <param name="Value">Value or pattern.</param>
/// <param name="IsRegularExpression">Compare as a pattern instead of exactly.</param>
public sealed record NamedMatch(string Name, string Value, bool IsRegularExpression = false);

/// <summary><c>path.type</c>.</summary>
public enum PathMatchType
{
    /// <summary>Whole path elements from the start.</summary>
    PathPrefix,

    /// <summary>The very path.</summary>
    Exact,

    /// <summary>A pattern over the path.</summary>
    RegularExpression,
}
