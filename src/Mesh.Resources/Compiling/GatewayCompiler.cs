using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Resources.Types;

namespace Mesh.Resources.Compiling;

/// <summary>Gateways of the config cluster.</summary>
internal static class GatewayCompiler
{
    public static ImmutableArray<GatewayConfig> Compile(World world) =>
        [.. world.Effective<Gateway>()
            .OrderBy(g => g.Namespace, StringComparer.Ordinal).ThenBy(g => g.Name, StringComparer.Ordinal)
            .Select(g => new GatewayConfig
            {
                Namespace = g.Namespace,
                Name = g.Name,
                Listeners = [.. g.Listeners.Select(l => new ListenerConfig(l.Name.Value, l.Protocol, l.Port.Value, l.Hostname?.Value)
                {
                    Certificates = l.Protocol == ListenerProtocol.Https ? l.Certificates : [],
                })],
                Regions = [.. g.Addresses.Where(a => a.Region is not null).Select(a => a.Region!).Distinct()],
            })];
}
