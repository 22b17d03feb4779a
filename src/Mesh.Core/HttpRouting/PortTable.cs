using System.Collections.Immutable;
using Mesh.Core.Config;

namespace Mesh.Core.HttpRouting;

/// <summary>
/// The listeners that share one port in one region. A request belongs to the listener with the most specific hostname that fits; other
/// listeners are not asked when that one has no route, except another Gateway's with the very same hostname. Immutable.
/// </summary>
public sealed class PortTable
{
    private readonly ImmutableArray<(HostPattern Host, RouteTable Routes, ImmutableArray<string> Certificates)> _listeners;

    private PortTable(int port, bool isTls, ImmutableArray<(HostPattern Host, RouteTable Routes, ImmutableArray<string> Certificates)> listeners, ImmutableArray<PoolId> pools)
    {
        Port = port;
        IsTls = isTls;
        _listeners = listeners;
        Pools = pools;
    }

    /// <summary>Port in the manifests, 1–65535.</summary>
    public int Port { get; }

    /// <summary>True when the listeners are HTTPS.</summary>
    public bool IsTls { get; }

    /// <summary>Every pool that a request to this port can reach, in order, each once.</summary>
    public ImmutableArray<PoolId> Pools { get; }

    /// <summary>Compiles the listeners of a region, one table per port, ordered by port.</summary>
    /// <param name="config">Configuration.</param>
    /// <param name="region">The region, empty for every one; a Gateway that names no regions listens in each.</param>
    /// <exception cref="ArgumentException">A pattern of a route cannot be compiled, or Gateways use one port for HTTP and HTTPS; the message names them.</exception>
    public static ImmutableArray<PortTable> CompileAll(MeshConfig config, string region)
    {
        var byPort = new SortedDictionary<int, List<(HostPattern Host, RouteTable Routes, ImmutableArray<string> Certificates)>>();
        var firstOfPort = new Dictionary<int, (GatewayConfig Gateway, ListenerProtocol Protocol)>();
        foreach (var gateway in config.Gateways)
        {
            if (!gateway.ListensIn(region)) continue;
            foreach (var listener in gateway.Listeners)
            {
                if (!firstOfPort.TryAdd(listener.Port, (gateway, listener.Protocol)) && firstOfPort[listener.Port] is var first && first.Protocol != listener.Protocol)
                {
                    throw new ArgumentException(
                        $"Port {listener.Port} is HTTP and HTTPS at once: Gateways {first.Gateway.Namespace}/{first.Gateway.Name} and {gateway.Namespace}/{gateway.Name}.");
                }

                if (!byPort.TryGetValue(listener.Port, out var list)) byPort.Add(listener.Port, list = []);
                list.Add((HostPattern.Parse(listener.Hostname), RouteTable.Compile(config, gateway, listener), listener.Certificates));
            }
        }

        return [.. byPort.Select(p => Sorted(p.Key, firstOfPort[p.Key].Protocol == ListenerProtocol.Https, p.Value))];
    }

    /// <summary>The rule for a request; null when no listener or route takes it.</summary>
    public RouteTarget? Match<THead>(in THead head)
        where THead : struct, IRequestHead
    {
        var host = HostPattern.WithoutPort(head.Host);
        HostPattern? chosen = null;
        foreach (var (pattern, routes, _) in _listeners)
        {
            if (chosen is { } first && !first.Equals(pattern)) continue;
            if (!pattern.Matches(host)) continue;
            if (routes.Match(head) is { } target) return target;
            chosen = pattern;
        }

        return null;
    }

    /// <summary>Names of the certificates of the listener with the most specific hostname that fits; default when none fits.</summary>
    /// <param name="host">Host without port, of any case; empty for a client that names none, which gets the least specific listener.</param>
    public ImmutableArray<string> CertificatesFor(ReadOnlySpan<char> host)
    {
        if (host.IsEmpty) return _listeners[^1].Certificates;
        foreach (var (pattern, _, certificates) in _listeners)
        {
            if (pattern.Matches(host)) return certificates;
        }

        return default;
    }

    /// <summary>Every certificate that the listeners name, each once.</summary>
    public ImmutableArray<string> Certificates => [.. _listeners.SelectMany(l => l.Certificates).Distinct(StringComparer.Ordinal)];

    private static PortTable Sorted(int port, bool isTls, List<(HostPattern Host, RouteTable Routes, ImmutableArray<string> Certificates)> listeners)
    {
        var pools = new SortedSet<PoolId>(listeners.SelectMany(l => l.Routes.Pools));
        // OrderBy keeps equals in their order, which is the Gateways'.
        return new PortTable(port, isTls, [.. listeners.OrderBy(l => l.Host)], [.. pools]);
    }
}
