using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Reading;

namespace Mesh.Resources.Types;

/// <summary>Filters of a rule or of one of its backend refs.</summary>
internal sealed record RouteFilters
{
    public static RouteFilters None { get; } = new();

    /// <summary>All filters but the mirrors, whose pools are resolved later.</summary>
    public HttpRouteFiltersConfig Config { get; private init; } = HttpRouteFiltersConfig.None;

    public ImmutableArray<MirrorFilter> Mirrors { get; private init; } = [];

    /// <summary>Places of edits that replace the matched prefix.</summary>
    public ImmutableArray<Spot> PrefixEdits { get; private init; } = [];

    public static RouteFilters Read(ObjectReader owner)
    {
        var state = new FilterReader();
        owner.List<object>("filters", f =>
        {
            state.Read(f);
            return null;
        }, max: 16);
        if (state.Config is { Redirect: not null, UrlRewrite: not null })
            owner.Report.Error(
                owner.SpotOf("filters"), DiagnosticCodes.FilterConflict,
                "URLRewrite and RequestRedirect exclude each other: a redirected request is not forwarded", "keep one of them");
        return new RouteFilters
        {
            Config = state.Config,
            Mirrors = [.. state.Mirrors],
            PrefixEdits = [.. state.PrefixEdits],
        };
    }
}

/// <summary>A mirror before its pool is resolved.</summary>
internal sealed record MirrorFilter(BackendRef Ref, double Ratio);
