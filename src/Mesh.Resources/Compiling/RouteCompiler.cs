using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Resources.Types;

namespace Mesh.Resources.Compiling;

/// <summary>Routes of the config cluster, the oldest first.</summary>
internal static class RouteCompiler
{
    public static ImmutableArray<HttpRouteConfig> Compile(World world) =>
        [.. world.Effective<HttpRoute>().OrderBy(r => r.Header, Age.Comparer).Select(Route)];

    private static HttpRouteConfig Route(HttpRoute route) => new()
    {
        Namespace = route.Namespace,
        Name = route.Name,
        Parents = [.. route.Parents.Select(p => new ParentRefConfig(p.Namespace, p.Name.Value, p.SectionName?.Value, p.Port?.Value))],
        Hostnames = [.. route.Hostnames.Select(h => h.Value)],
        Rules = [.. route.Rules.Select(r => Rule(route, r))],
    };

    private static HttpRouteRule Rule(HttpRoute route, RouteRule rule) => new()
    {
        Matches = rule.Matches,
        Filters = Filters(route, rule.Filters),
        RequestTimeout = Positive(rule.RequestTimeout?.Value),
        BackendRequestTimeout = Positive(rule.BackendRequestTimeout?.Value),
        BackendRefs = [.. rule.BackendRefs.Select(b => Ref(route, b))],
    };

    private static BackendRefConfig Ref(HttpRoute route, BackendRef reference) =>
        new(RouteRefs.PoolOf(route, reference), reference.Weight?.Value ?? 1) { Filters = Filters(route, reference.Filters) };

    private static HttpRouteFiltersConfig Filters(HttpRoute route, RouteFilters filters) => filters.Config with
    {
        Mirrors = [.. filters.Mirrors.Select(m => new RequestMirrorConfig(RouteRefs.PoolOf(route, m.Ref), m.Ratio))],
    };

    /// <summary>A time-out of zero switches it off in Gateway API: the pool's then holds alone.</summary>
    private static TimeSpan? Positive(TimeSpan? value) => value > TimeSpan.Zero ? value : null;
}
