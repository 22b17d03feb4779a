using Mesh.Resources.Compiling;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Reading;
using Mesh.Resources.Types;

namespace Mesh.Resources.Validation;

/// <summary>
/// A route sends to pools that exist. Gateway API keeps a route with an unknown backend and answers 500 for it; in a directory of
/// manifests it is certainly a slip, and so an error.
/// </summary>
internal sealed class RouteBackends : IRule
{
    public void Check(World world, DiagnosticBag report)
    {
        foreach (var route in world.Effective<HttpRoute>())
        {
            foreach (var reference in RouteRefs.Of(route)) Check(world, route, reference, report);
            foreach (var rule in route.Rules) Check(rule, report);
        }
    }

    private static void Check(World world, HttpRoute route, BackendRef reference, DiagnosticBag report)
    {
        if (!RouteRefs.IsImport(reference) && !RouteRefs.IsLocalPool(reference))
        {
            report.Error(
                reference.Name.At, DiagnosticCodes.BackendKind, $"A route cannot send to a {reference.Kind} of group \"{reference.Group}\"",
                $"write group: {GcpInferencePoolImport.Group} and kind: {GcpInferencePoolImport.KindName}");
            return;
        }

        if (reference.Namespace is { } other && other != route.Namespace)
        {
            report.Error(
                reference.Name.At, DiagnosticCodes.BackendNamespace,
                $"A route of namespace {route.Namespace} may not send to a pool of namespace {other}",
                $"move the route to namespace {other}");
            return;
        }

        if (world.FindPool(RouteRefs.PoolOf(route, reference)) is not null) return;
        var name = reference.Name.Value;
        var isImport = RouteRefs.IsImport(reference);
        var hidden = world.Resources.Of<InferencePool>().FirstOrDefault(p => p.Namespace == route.Namespace && p.Name == name);
        var known = isImport
            ? world.Pools.Where(p => p.LocalToCluster is null && p.Id.Namespace == route.Namespace).Select(p => p.Id.Name)
            : world.Resources.Of<InferencePool>()
                .Where(p => p.Cluster == route.Cluster && p.Namespace == route.Namespace).Select(p => p.Name);
        var full = $"{route.Namespace}/{name}";
        var (message, hint) = (isImport, hidden) switch
        {
            (true, { }) => (
                $"No cluster exports InferencePool {full}",
                $"annotate it with {Export.VendorAnnotation}: \"True\" ({hidden!.Header.NameAt})"),
            (true, null) => ($"There is no import {full}", Nearest(name, known)),
            _ => ($"There is no InferencePool {full} in {route.Cluster}", Nearest(name, known)),
        };
        report.Error(reference.Name.At, DiagnosticCodes.BackendUnresolved, message, hint);
    }

    private static void Check(RouteRule rule, DiagnosticBag report)
    {
        if (rule.Filters.Config.Redirect is not null)
        {
            if (!rule.BackendRefs.IsEmpty)
                report.Error(
                    rule.BackendRefs[0].Name.At, DiagnosticCodes.FilterConflict,
                    "A rule that redirects has no backendRefs: nothing is forwarded", "leave them out");
            return;
        }

        if (rule.BackendRefs.IsEmpty)
            report.Warning(
                rule.At, DiagnosticCodes.RuleWithoutBackend, $"{rule.At.Path} has no backendRefs: its requests are answered with 500");
        else if (rule.BackendRefs.All(b => b.Weight is { Value: 0 }))
            report.Warning(
                rule.At, DiagnosticCodes.RuleWithoutBackend,
                $"All backendRefs of {rule.At.Path} have weight 0: its requests are answered with 500");
    }

    private static string? Nearest(string name, IEnumerable<string> names) =>
        NearestName.Of(name, names) is { } nearest ? $"did you mean {nearest}?" : null;
}
