using System.Collections.Immutable;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Reading;

namespace Mesh.Resources.Types;

/// <summary>One rule of a route.</summary>
internal sealed record RouteRule(Spot At)
{
    public ImmutableArray<Core.Config.HttpRouteMatch> Matches { get; private init; } = [];

    public RouteFilters Filters { get; private init; } = RouteFilters.None;

    public ImmutableArray<BackendRef> BackendRefs { get; private init; } = [];

    public Located<TimeSpan>? RequestTimeout { get; private init; }

    public Located<TimeSpan>? BackendRequestTimeout { get; private init; }

    public static RouteRule Read(ObjectReader r)
    {
        r.String("name");
        foreach (var field in (ReadOnlySpan<string>)["retry", "sessionPersistence"])
        {
            r.Ignore(field);
            if (r.Has(field))
                r.Report.Warning(
                    r.SpotOf(field), DiagnosticCodes.NoCounterpart, $"{field} of a rule has no effect in the mesh, which has its own");
        }

        Located<TimeSpan>? request = null, backend = null;
        r.Object("timeouts", t =>
        {
            request = t.Duration("request");
            backend = t.Duration("backendRequest");
            if (request is not null && backend is not null && request.Value > TimeSpan.Zero && backend.Value > request.Value)
                t.Report.Error(
                    backend.At, DiagnosticCodes.TimeoutOrder, $"{backend.At.Path} is longer than the whole request's time-out",
                    "an attempt cannot outlast the request");
            return t;
        });
        var rule = new RouteRule(r.At)
        {
            Matches = r.List("matches", RouteMatchReader.Read, max: 64),
            Filters = RouteFilters.Read(r),
            BackendRefs = r.List("backendRefs", BackendRef.Read, max: 16),
            RequestTimeout = request,
            BackendRequestTimeout = backend,
        };
        rule.CheckPrefixEdits(r.Report);
        return rule;
    }

    /// <summary>Replacing the matched prefix has a meaning only where every match is by prefix.</summary>
    private void CheckPrefixEdits(DiagnosticBag report)
    {
        if (Matches.All(m => m.PathType == Core.Config.PathMatchType.PathPrefix)) return;
        foreach (var at in Filters.PrefixEdits.Concat(BackendRefs.SelectMany(b => b.Filters.PrefixEdits)))
            report.Error(
                at, DiagnosticCodes.PrefixEditWithoutPrefix, "ReplacePrefixMatch needs every match of the rule to be a PathPrefix",
                "use ReplaceFullPath");
    }
}

/// <summary>A pool that a rule sends to.</summary>
internal sealed record BackendRef(
    string Group, string Kind, string? Namespace, Located<string> Name, Located<int>? Weight, RouteFilters Filters)
{
    public static BackendRef? Read(ObjectReader r)
    {
        var group = r.String("group", allowEmpty: true)?.Value ?? "";
        var kind = r.String("kind")?.Value ?? "Service";
        var space = r.String("namespace")?.Value;
        r.Int("port", 1, 65535);
        var weight = r.Int("weight", 0, 1_000_000);
        var filters = RouteFilters.Read(r);
        return r.String("name", required: true) is { } name ? new BackendRef(group, kind, space, name, weight, filters) : null;
    }
}
