using Mesh.Resources.Compiling;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Reading;
using Mesh.Resources.Types;

namespace Mesh.Resources.Validation;

/// <summary>A route attaches to listeners that exist, that let it attach, and whose host it shares.</summary>
internal sealed class RouteParents : IRule
{
    public void Check(World world, DiagnosticBag report)
    {
        var gateways = world.Effective<Gateway>().ToList();
        foreach (var route in world.Effective<HttpRoute>())
        {
            if (route.Parents.IsEmpty && report.FirstErrorUnder(route.At) is null)
                report.Warning(
                    route.Header.NameAt, DiagnosticCodes.RouteWithoutParent,
                    $"HTTPRoute {route.Header.FullName} has no parentRefs and attaches to no Gateway");
            foreach (var parent in route.Parents) Check(route, parent, gateways, report);
        }
    }

    private static void Check(HttpRoute route, ParentRef parent, List<Gateway> gateways, DiagnosticBag report)
    {
        if (parent is not { Group: Gateway.Group, Kind: "Gateway" })
        {
            report.Error(
                parent.Name.At, DiagnosticCodes.ParentUnresolved, $"A route cannot attach to a {parent.Kind} of group \"{parent.Group}\"",
                "attach it to a Gateway");
            return;
        }

        if (gateways.Find(g => g.Cluster == route.Cluster && g.Namespace == parent.Namespace && g.Name == parent.Name.Value) is not { } gateway)
        {
            var nearest = NearestName.Of(parent.Name.Value, gateways.Where(g => g.Namespace == parent.Namespace).Select(g => g.Name));
            report.Error(
                parent.Name.At, DiagnosticCodes.ParentUnresolved,
                $"There is no Gateway {parent.Namespace}/{parent.Name.Value} in {route.Cluster}",
                nearest is null ? null : $"did you mean {nearest}?");
            return;
        }

        // A Gateway with listeners that could not be read has been reported already.
        if (gateway.Listeners.IsEmpty) return;
        var named = gateway.Listeners
            .Where(l => parent.SectionName is null || l.Name.Value == parent.SectionName.Value)
            .Where(l => parent.Port is null || l.Port.Value == parent.Port.Value)
            .ToList();
        if (named.Count == 0)
        {
            var at = parent.SectionName?.At ?? parent.Port!.At;
            report.Error(
                at, DiagnosticCodes.ListenerUnresolved, $"Gateway {gateway.Header.FullName} has no such listener",
                $"its listeners: {string.Join(", ", gateway.Listeners.Select(l => $"{l.Name.Value} (port {l.Port.Value})"))}");
            return;
        }

        var allowed = named.Where(l => l.Allows(gateway.Namespace, route.Namespace)).ToList();
        if (allowed.Count == 0)
            report.Error(
                parent.Name.At, DiagnosticCodes.RouteNotAllowed,
                $"Gateway {gateway.Header.FullName} lets no route of namespace {route.Namespace} attach",
                "set allowedRoutes.namespaces.from: All on the listener");
        else if (!route.Hostnames.IsEmpty && !allowed.Exists(l => l.Hostname is null || route.Hostnames.Any(h => Intersects(l.Hostname.Value, h.Value))))
            report.Error(
                route.Hostnames[0].At, DiagnosticCodes.RouteHostMismatch,
                $"No host of the route is among the hosts of Gateway {gateway.Header.FullName}",
                $"its hosts: {string.Join(", ", allowed.Select(l => l.Hostname!.Value))}");
    }

    /// <summary>Two hosts, either of which may begin with a wildcard for one or more labels, have a name in common.</summary>
    private static bool Intersects(string a, string b)
    {
        if (a.StartsWith("*.", StringComparison.Ordinal) && b.StartsWith("*.", StringComparison.Ordinal))
            return a.EndsWith(b[1..], StringComparison.OrdinalIgnoreCase) || b.EndsWith(a[1..], StringComparison.OrdinalIgnoreCase);
        if (a.StartsWith("*.", StringComparison.Ordinal)) return b.EndsWith(a[1..], StringComparison.OrdinalIgnoreCase);
        return b.StartsWith("*.", StringComparison.Ordinal)
            ? a.EndsWith(b[1..], StringComparison.OrdinalIgnoreCase)
            : a.Equals(b, StringComparison.OrdinalIgnoreCase);
    }
}
