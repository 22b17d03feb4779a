using System.Collections.Immutable;

namespace Mesh.Core.Config;

/// <summary>What a route does to a request and its answer besides choosing a pool. Each part stands at most once in a rule, mirrors aside.</summary>
public sealed record HttpRouteFiltersConfig
{
    /// <summary>Nothing to do.</summary>
    public static HttpRouteFiltersConfig None { get; } = new();

    /// <summary><c>RequestHeaderModifier</c>: headers of the request to the model server; null leaves them.</summary>
    public HeaderEdits? RequestHeaders { get; init; }

    /// <summary><c>ResponseHeaderModifier</c>: headers of the answer to the client; null leaves them.</summary>
    public HeaderEdits? ResponseHeaders { get; init; }

    /// <summary><c>URLRewrite</c>: host and path of the request to the model server; null leaves them.</summary>
    public UrlRewriteConfig? UrlRewrite { get; init; }

    /// <summary><c>RequestRedirect</c>: answered at once, without a model server; null forwards.</summary>
    public RequestRedirectConfig? Redirect { get; init; }

    /// <summary><c>RequestMirror</c>: pools that get a copy, whose answers are thrown away.</summary>
    public ImmutableArray<RequestMirrorConfig> Mirrors { get; init; } = [];

    /// <summary>True when there is nothing to do.</summary>
    public bool IsEmpty => RequestHeaders is null && ResponseHeaders is null && UrlRewrite is null && Redirect is null && Mirrors.IsEmpty;
}

/// <summary>Edits of headers: set replaces, add appends, remove drops. Names are case-insensitive.</summary>
/// <param name="Set">Headers that get exactly this value.</param>
/// <param name="Add">Values added to what is there.</param>
/// <param name="Remove">Names dropped.</param>
public sealed record HeaderEdits(ImmutableArray<HeaderValue> Set, ImmutableArray<HeaderValue> Add, ImmutableArray<string> Remove);

/// <summary>A header with its value.</summary>
/// <param name="Name">Name of the header.</param>
/// <param name="Value">Its value.</param>
public sealed record HeaderValue(string Name, string Value);

/// <summary>Host and path of the forwarded request.</summary>
/// <param name="Hostname">New Host header; null leaves it.</param>
/// <param name="Path">New path; null leaves it.</param>
public sealed record UrlRewriteConfig(string? Hostname, PathEdit? Path);

/// <summary>A redirection. What is null is taken from the request.</summary>
/// <param name="Scheme"><c>http</c> or <c>https</c>.</param>
/// <param name="Hostname">Host of the location.</param>
/// <param name="Path">Path of the location.</param>
/// <param name="Port">Port of the location, 1–65535.</param>
/// <param name="StatusCode">301, 302, 303, 307 or 308.</param>
public sealed record RequestRedirectConfig(string? Scheme, string? Hostname, PathEdit? Path, int? Port, int StatusCode);

/// <summary>A pool that gets a copy of the request.</summary>
/// <param name="Pool">The import.</param>
/// <param name="Ratio">Share of the requests that are copied, 0–1.</param>
public sealed record RequestMirrorConfig(PoolId Pool, double Ratio);

/// <summary>How a path is changed; the query is kept.</summary>
/// <param name="Type">Whole path, or the prefix that the rule matched.</param>
/// <param name="Value">What takes its place.</param>
public sealed record PathEdit(PathEditType Type, string Value);

/// <summary><c>path.type</c> of a rewrite or redirection.</summary>
public enum PathEditType
{
    /// <summary>The whole path is replaced.</summary>
    ReplaceFullPath,

    /// <summary>The prefix that the rule matched is replaced.</summary>
    ReplacePrefixMatch,
}
