using System.Collections.Immutable;
using Mesh.Core.Config;

namespace Mesh.Core.HttpRouting;

/// <summary>
/// The routes of one listener, sorted once by Gateway API's precedence: hostname, then exact path, longest prefix, pattern; then method,
/// number of headers, number of query parameters; then age of the route, order of the rules, order of the matches.
/// Immutable and safe to share; a look-up allocates nothing of its own.
/// </summary>
public sealed class RouteTable
{
    private readonly ImmutableArray<RouteEntry> _entries;

    private RouteTable(ImmutableArray<RouteEntry> entries, ImmutableArray<PoolId> pools)
    {
        _entries = entries;
        Pools = pools;
    }

    /// <summary>Every pool that a request to this listener can reach, in order, each once.</summary>
    public ImmutableArray<PoolId> Pools { get; }

    /// <summary>Compiles the routes that attach to a listener.</summary>
    /// <exception cref="ArgumentException">A pattern of a route cannot be compiled; the message names the route.</exception>
    public static RouteTable Compile(MeshConfig config, GatewayConfig gateway, ListenerConfig listener)
    {
        var entries = new List<RouteEntry>();
        var pools = new SortedSet<PoolId>();
        foreach (var route in config.Routes)
        {
            if (!Attaches(route, gateway, listener)) continue;
            var hosts = Hosts(route, HostPattern.Parse(listener.Hostname));
            if (hosts.Count == 0) continue;
            AddRules(route, hosts, entries, pools);
        }

        entries.Sort();
        return new RouteTable([.. entries], [.. pools]);
    }

    /// <summary>The rule for a request; null when none takes it.</summary>
    public RouteTarget? Match<THead>(in THead head)
        where THead : struct, IRequestHead
    {
        var host = HostPattern.WithoutPort(head.Host);
        foreach (var entry in _entries)
        {
            if (entry.Matches(head, host)) return entry.Target;
        }

        return null;
    }

    private static bool Attaches(HttpRouteConfig route, GatewayConfig gateway, ListenerConfig listener)
    {
        foreach (var parent in route.Parents)
        {
            if (parent.Namespace != gateway.Namespace || parent.Name != gateway.Name) continue;
            if (parent.SectionName is not null && parent.SectionName != listener.Name) continue;
            if (parent.Port is not null && parent.Port != listener.Port) continue;
            return true;
        }

        return false;
    }

    private static List<HostPattern> Hosts(HttpRouteConfig route, HostPattern listener)
    {
        if (route.Hostnames.IsDefaultOrEmpty) return [listener];
        var hosts = new List<HostPattern>();
        foreach (var name in route.Hostnames)
        {
            if (listener.Intersect(HostPattern.Parse(name)) is { } both && !hosts.Contains(both)) hosts.Add(both);
        }

        return hosts;
    }

    private static void AddRules(HttpRouteConfig route, List<HostPattern> hosts, List<RouteEntry> entries, SortedSet<PoolId> pools)
    {
        for (var index = 0; index < route.Rules.Length; index++)
        {
            ImmutableArray<HttpRouteMatch> matches = route.Rules[index].Matches is { IsDefaultOrEmpty: false } some ? some : [new HttpRouteMatch()];
            foreach (var match in matches)
            {
                var target = new RouteTarget(route, index, match);
                foreach (var reference in target.Backends) pools.Add(reference.Pool);
                foreach (var host in hosts) entries.Add(Entry(host, match, target, entries.Count));
            }
        }
    }

    private static RouteEntry Entry(HostPattern host, HttpRouteMatch match, RouteTarget target, int order)
    {
        try
        {
            return new RouteEntry(host, match, target, order);
        }
        catch (ArgumentException e)
        {
            throw new ArgumentException($"HTTPRoute {target.RouteName}, rule {target.RuleIndex}: {e.Message}", e);
        }
    }
}
