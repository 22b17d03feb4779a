using System.Globalization;
using Mesh.Core.Config;

namespace Mesh.Resources.Effective;

/// <summary>Routes and their parts in one line each, with all that changes what runs.</summary>
internal static class RouteText
{
    /// <summary>Parents, hosts and rules, in a fixed order.</summary>
    public static IEnumerable<(string Name, string Value)> Of(HttpRouteConfig route)
    {
        yield return ("parentRefs", Listed(route.Parents.Select(Of)));
        yield return ("hostnames", route.Hostnames.IsEmpty ? "the listeners'" : Listed(route.Hostnames));
        for (var i = 0; i < route.Rules.Length; i++)
        {
            var rule = route.Rules[i];
            yield return ($"rules[{i}].matches", rule.Matches.IsEmpty ? "everything" : string.Join(" or ", rule.Matches.Select(Of)));
            yield return ($"rules[{i}].backendRefs", Listed(rule.BackendRefs.Select(Of)));
            if (!rule.Filters.IsEmpty) yield return ($"rules[{i}].filters", Of(rule.Filters));
            if (rule.RequestTimeout is { } request) yield return ($"rules[{i}].timeouts.request", SettingText.Seconds(request));
            if (rule.BackendRequestTimeout is { } attempt)
                yield return ($"rules[{i}].timeouts.backendRequest", SettingText.Seconds(attempt));
        }
    }

    private static string Of(ParentRefConfig p) =>
        $"{p.Namespace}/{p.Name}{(p.SectionName is null ? "" : " listener " + p.SectionName)}{Port(p.Port)}";

    private static string Of(BackendRefConfig b) =>
        string.Create(CultureInfo.InvariantCulture, $"{b.Pool} weight {b.Weight}{(b.Filters.IsEmpty ? "" : $" with {Of(b.Filters)}")}");

    private static string Of(HttpRouteMatch m)
    {
        var parts = new List<string> { $"{m.PathType} {m.Path}" };
        if (m.Method is not null) parts.Add(m.Method);
        parts.AddRange(m.Headers.Select(h => $"header {Of(h)}"));
        parts.AddRange(m.QueryParams.Select(q => $"query {Of(q)}"));
        return string.Join(" and ", parts);
    }

    private static string Of(NamedMatch m) => $"{m.Name}{(m.IsRegularExpression ? "~" : "=")}{m.Value}";

    private static string Of(HttpRouteFiltersConfig f)
    {
        var parts = new List<string>();
        if (f.RequestHeaders is { } request) parts.Add($"RequestHeaderModifier {Of(request)}");
        if (f.ResponseHeaders is { } response) parts.Add($"ResponseHeaderModifier {Of(response)}");
        if (f.UrlRewrite is { } rewrite) parts.Add($"URLRewrite{Host(rewrite.Hostname)}{Path(rewrite.Path)}");
        if (f.Redirect is { } r)
        {
            var status = r.StatusCode.ToString(CultureInfo.InvariantCulture);
            parts.Add($"RequestRedirect {status}{(r.Scheme is null ? "" : " " + r.Scheme)}{Host(r.Hostname)}{Port(r.Port)}{Path(r.Path)}");
        }

        parts.AddRange(f.Mirrors.Select(m => $"RequestMirror {SettingText.Percent(m.Ratio)} to {m.Pool}"));
        return string.Join("; ", parts);
    }

    private static string Of(HeaderEdits edits) =>
        string.Join(' ', edits.Set.Select(h => $"set {h.Name}={h.Value}")
            .Concat(edits.Add.Select(h => $"add {h.Name}={h.Value}"))
            .Concat(edits.Remove.Select(n => $"remove {n}")));

    private static string Host(string? host) => host is null ? "" : $" host {host}";

    private static string Port(int? port) => port is { } number ? string.Create(CultureInfo.InvariantCulture, $" port {number}") : "";

    private static string Path(PathEdit? path) => path is null ? "" : $" {path.Type} {path.Value}";

    private static string Listed(IEnumerable<string> items) => string.Join(", ", items) is { Length: > 0 } text ? text : "none";
}
