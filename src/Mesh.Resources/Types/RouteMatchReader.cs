using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Mesh.Core.Config;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Reading;

namespace Mesh.Resources.Types;

/// <summary>Reads <c>matches[]</c> of a rule.</summary>
internal static class RouteMatchReader
{
    private static readonly (string, PathMatchType)[] _pathTypes =
        [("PathPrefix", PathMatchType.PathPrefix), ("Exact", PathMatchType.Exact), ("RegularExpression", PathMatchType.RegularExpression)];

    private static readonly (string, string)[] _methods =
        [.. new[] { "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH" }.Select(m => (m, m))];

    public static HttpRouteMatch Read(ObjectReader m)
    {
        var match = new HttpRouteMatch
        {
            Method = m.Choice("method", _methods)?.Value,
            Headers = Named(m, "headers", isHeader: true),
            QueryParams = Named(m, "queryParams", isHeader: false),
        };
        return m.Object("path", p => Path(p, match)) ?? match;
    }

    private static HttpRouteMatch Path(ObjectReader p, HttpRouteMatch match)
    {
        var type = p.Choice("type", _pathTypes)?.Value ?? PathMatchType.PathPrefix;
        var value = p.String("value", maxLength: 1024);
        if (value is not null && type == PathMatchType.RegularExpression) CheckPattern(value, p.Report);
        else if (value is not null) CheckPath(value, p.Report);
        return match with { PathType = type, Path = value?.Value ?? "/" };
    }

    private static void CheckPath(Located<string> path, DiagnosticBag report)
    {
        if (path.Value[0] != '/')
            report.Error(
                path.At, DiagnosticCodes.WrongFormat, $"{path.At.Path} is {path.Value}; a path begins with /", $"write /{path.Value}");
        else if (path.Value.Contains("//", StringComparison.Ordinal) || path.Value.Contains("/./", StringComparison.Ordinal)
            || path.Value.Contains("/../", StringComparison.Ordinal) || path.Value.EndsWith("/..", StringComparison.Ordinal)
            || path.Value.EndsWith("/.", StringComparison.Ordinal) || path.Value.Contains('#', StringComparison.Ordinal)
            || path.Value.Contains("%2f", StringComparison.OrdinalIgnoreCase))
            report.Error(
                path.At, DiagnosticCodes.WrongFormat, $"{path.At.Path} is {path.Value}, which no normalized path can match",
                "leave out //, /./, /../, # and %2f");
    }

    private static ImmutableArray<NamedMatch> Named(ObjectReader m, string field, bool isHeader)
    {
        var seen = new HashSet<string>(isHeader ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal);
        return m.List(field, n =>
        {
            var isPattern = n.Choice("type", [("Exact", false), ("RegularExpression", true)])?.Value ?? false;
            var name = n.String("name", required: true);
            var value = n.String("value", required: true, maxLength: 4096);
            if (value is not null && isPattern) CheckPattern(value, n.Report);
            if (name is null || value is null) return null;
            if (isHeader && !KubernetesNames.IsHeaderName(name.Value))
                n.Report.Error(name.At, DiagnosticCodes.WrongFormat, $"{name.Value} is no name of a header");
            if (!seen.Add(name.Value))
                n.Report.Error(name.At, DiagnosticCodes.DuplicateValue, $"{name.Value} is matched twice", "use one match for each name");
            return new NamedMatch(name.Value, value.Value, isPattern);
        }, max: 16);
    }

    private static void CheckPattern(Located<string> pattern, DiagnosticBag report)
    {
        try
        {
            // The engine without backtracking is what runs on requests: a pattern that it refuses must not be accepted.
            _ = new Regex(pattern.Value, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        }
        catch (ArgumentException e)
        {
            report.Error(pattern.At, DiagnosticCodes.WrongFormat, $"{pattern.At.Path} is no regular expression: {e.Message.TrimEnd('.')}");
        }
        catch (NotSupportedException)
        {
            report.Error(
                pattern.At, DiagnosticCodes.Unsupported, $"{pattern.At.Path} is a regular expression that needs backtracking",
                "leave out look-around, back-references and atomic groups");
        }
    }
}
