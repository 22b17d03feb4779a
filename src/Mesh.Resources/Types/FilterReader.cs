using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Reading;

namespace Mesh.Resources.Types;

/// <summary>Reads a list of filters one by one.</summary>
internal sealed class FilterReader
{
    private enum FilterType
    {
        RequestHeaders,
        ResponseHeaders,
        Mirror,
        Redirect,
        Rewrite,
        Extension,
        Cors,
    }

    private static readonly (string Type, FilterType Value, string Field)[] _types =
    [
        ("RequestHeaderModifier", FilterType.RequestHeaders, "requestHeaderModifier"),
        ("ResponseHeaderModifier", FilterType.ResponseHeaders, "responseHeaderModifier"),
        ("RequestMirror", FilterType.Mirror, "requestMirror"),
        ("RequestRedirect", FilterType.Redirect, "requestRedirect"),
        ("URLRewrite", FilterType.Rewrite, "urlRewrite"),
        ("ExtensionRef", FilterType.Extension, "extensionRef"),
        ("CORS", FilterType.Cors, "cors"),
    ];

    private readonly HashSet<FilterType> _seen = [];

    public HttpRouteFiltersConfig Config { get; private set; } = HttpRouteFiltersConfig.None;

    public List<MirrorFilter> Mirrors { get; } = [];

    public List<Spot> PrefixEdits { get; } = [];

    public void Read(ObjectReader f)
    {
        foreach (var (_, _, field) in _types) f.Ignore(field);
        if (f.Choice("type", [.. _types.Select(t => (t.Type, t))], required: true) is not { } type) return;
        foreach (var (_, _, field) in _types.Where(t => t.Field != type.Value.Field && f.Has(t.Field)))
            f.Report.Error(
                f.SpotOf(field), DiagnosticCodes.FilterConflict, $"{field} does not belong to a filter of type {type.Value.Type}",
                $"write {type.Value.Field}");
        if (type.Value.Value is FilterType.Extension or FilterType.Cors)
        {
            f.Report.Error(type.At, DiagnosticCodes.Unsupported, $"The mesh has no filter of type {type.Value.Type}");
            return;
        }

        if (type.Value.Value != FilterType.Mirror && !_seen.Add(type.Value.Value))
            f.Report.Error(
                type.At, DiagnosticCodes.FilterConflict, $"{type.Value.Type} stands twice among the filters", "merge them into one");
        f.Object(type.Value.Field, body => Body(body, type.Value.Value), required: true);
    }

    private object Body(ObjectReader r, FilterType type)
    {
        switch (type)
        {
            case FilterType.RequestHeaders:
                Config = Config with { RequestHeaders = Headers(r) };
                break;
            case FilterType.ResponseHeaders:
                Config = Config with { ResponseHeaders = Headers(r) };
                break;
            case FilterType.Rewrite:
                Config = Config with { UrlRewrite = new UrlRewriteConfig(Hostname(r), r.Object("path", Path)) };
                break;
            case FilterType.Redirect:
                Config = Config with { Redirect = Redirect(r) };
                break;
            default:
                Mirror(r);
                break;
        }

        return r;
    }

    private static HeaderEdits Headers(ObjectReader r)
    {
        var remove = r.Strings("remove", max: 16);
        foreach (var name in remove.Where(n => !KubernetesNames.IsHeaderName(n.Value)))
            r.Report.Error(name.At, DiagnosticCodes.WrongFormat, $"{name.Value} is no name of a header");
        return new HeaderEdits(Values(r, "set"), Values(r, "add"), [.. remove.Select(n => n.Value)]);
    }

    private static ImmutableArray<HeaderValue> Values(ObjectReader r, string field)
    {
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        return r.List(field, h =>
        {
            var name = h.String("name", required: true);
            var value = h.String("value", required: true, allowEmpty: true);
            if (name is null || value is null) return null;
            if (!KubernetesNames.IsHeaderName(name.Value))
                h.Report.Error(name.At, DiagnosticCodes.WrongFormat, $"{name.Value} is no name of a header");
            else if (!seen.Add(name.Value))
                h.Report.Error(name.At, DiagnosticCodes.DuplicateValue, $"{name.Value} stands in {field} twice", "name each header once");
            if (value.Value.AsSpan().IndexOfAny('\r', '\n', '\0') >= 0)
                h.Report.Error(value.At, DiagnosticCodes.WrongFormat, $"{value.At.Path} has a line break");
            return new HeaderValue(name.Value, value.Value);
        }, max: 16);
    }

    private RequestRedirectConfig Redirect(ObjectReader r) => new(
        r.Choice("scheme", [("http", "http"), ("https", "https")])?.Value,
        Hostname(r),
        r.Object("path", Path),
        r.Int("port", 1, 65535)?.Value,
        StatusCode(r));

    private static int StatusCode(ObjectReader r)
    {
        if (r.Int("statusCode", 100, 599) is not { } code) return 302;
        if (code.Value is not (301 or 302 or 303 or 307 or 308))
            r.Report.Error(
                code.At, DiagnosticCodes.OutOfRange, $"{code.At.Path} is {code.Value}, which redirects nothing",
                "write 301, 302, 303, 307 or 308");
        return code.Value;
    }

    private static string? Hostname(ObjectReader r)
    {
        if (r.String("hostname") is not { } host) return null;
        if (host.Value[0] == '*' || !KubernetesNames.IsHostname(host.Value))
            r.Report.Error(host.At, DiagnosticCodes.WrongFormat, $"{host.Value} is no host name");
        return host.Value;
    }

    private PathEdit? Path(ObjectReader p)
    {
        var type = p.Choice(
            "type", [("ReplaceFullPath", PathEditType.ReplaceFullPath), ("ReplacePrefixMatch", PathEditType.ReplacePrefixMatch)],
            required: true);
        if (type is null)
        {
            p.Ignore("replaceFullPath", "replacePrefixMatch");
            return null;
        }

        var isPrefix = type.Value == PathEditType.ReplacePrefixMatch;
        var (own, other) = isPrefix ? ("replacePrefixMatch", "replaceFullPath") : ("replaceFullPath", "replacePrefixMatch");
        p.Ignore(other);
        if (p.Has(other))
            p.Report.Error(p.SpotOf(other), DiagnosticCodes.FilterConflict, $"{other} does not belong to this type", $"write {own}");
        if (isPrefix) PrefixEdits.Add(p.At);
        var value = p.String(own, required: true, allowEmpty: isPrefix, maxLength: 1024);
        return value is null ? null : new PathEdit(type.Value, value.Value);
    }

    private void Mirror(ObjectReader r)
    {
        var percent = r.Int("percent", 0, 100);
        var ratio = percent is null ? 1 : percent.Value / 100.0;
        if (r.Object("fraction", f =>
        {
            var numerator = f.Int("numerator", 0, int.MaxValue, required: true);
            var denominator = f.Int("denominator", 1, int.MaxValue);
            return numerator is null ? null : new Located<double>((double)numerator.Value / (denominator?.Value ?? 100), f.At);
        }) is { } fraction)
        {
            if (percent is not null)
                r.Report.Error(fraction.At, DiagnosticCodes.FilterConflict, "percent and fraction exclude each other", "keep one of them");
            if (fraction.Value > 1) r.Report.Error(fraction.At, DiagnosticCodes.OutOfRange, "More than all requests cannot be mirrored");
            ratio = fraction.Value;
        }

        if (r.Object("backendRef", BackendRef.Read, required: true) is { } target) Mirrors.Add(new MirrorFilter(target, ratio));
    }
}
