using System.Collections.Immutable;
using Mesh.Core.Config;

namespace Mesh.Core.HttpRouting;

/// <summary>
/// The listeners that share one port in one region. A request belongs to the listener with the most specific hostname that fits; other
/// listeners are not asked when that one has no route, except another Gateway's with the very same hostname. Immutable.
/// </summary>
public sealed class PortTable
{
    private readonly ImmutableArray<(HostPattern Host, RouteTable Routes)> _listeners;

    private PortTable(int port, ImmutableArray<(HostPattern Host, RouteTable Routes)> listeners, ImmutableArray<PoolId> pools)
    {
        Port = port;
        _listeners = listeners;
        Pools = pools;
    }

    /// <summary>Port in the manifests, 1–65535.</summary>
    public int Port { get; }

    /// <summary>Every pool that a request to this port can reach, in order, each once.</summary>
    public ImmutableArray<PoolId> Pools { get; }

    /// <summary>Compiles the clear-text listeners of a region, one table per port, ordered by port.</summary>
    /// <param name="config">Configuration.</param>
    /// <param name="region">The region, empty for every one; a Gateway that names no regions listens in each.</param>
    /// <exception cref="ArgumentException">A pattern of a route cannot be compiled; the message names the route.</exception>
    public static ImmutableArray<PortTable> CompileAll(MeshConfig config, string region)
    {
        var byPort = new SortedDictionary<int, List<(HostPattern Host, RouteTable Routes)>>();
        foreach (var gateway in config.Gateways)
        {
            if (!gateway.ListensIn(region)) continue;
            foreach (var listener in gateway.Listeners)
            {
                if (listener.Protocol != ListenerProtocol.Http) continue;
                if (!byPort.TryGetValue(listener.Port, out var list)) byPort.Add(listener.Port, list = []);
                list.Add((HostPattern.Parse(listener.Hostname), RouteTable.Compile(config, gateway, listener)));
            }
        }

        return [.. byPort.Select(p => Sorted(p.Key, p.Value))];
    }

    /// <summary>The rule for a request; null when no listener or route takes it.</summary>
    public RouteTarget? Match<THead>(in THead head)
        where THead : struct, IRequestHead
    {
        var host = HostPattern.WithoutPort(head.Host);
        HostPattern? chosen = null;
        foreach (var (pattern, routes) in _listeners)
        {
            if (chosen is { } first && !first.Equals(pattern)) continue;
            if (!pattern.Matches(host)) continue;
            if (routes.Match(head) is { } target) return target;
            chosen = pattern;
        }

        return null;
    }

    private static PortTable Sorted(int port, List<(HostPattern Host, RouteTable Routes)> listeners)
    {
        var pools = new SortedSet<PoolId>(listeners.SelectMany(l => l.Routes.Pools));
        // OrderBy keeps equals in their order, which is the Gateways'.
        return new PortTable(port, [.. listeners.OrderBy(l => l.Host)], [.. pools]);
    }
}
