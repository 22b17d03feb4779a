using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Resources.Effective;

namespace Mesh.Resources.Compiling;

/// <summary>Compiles a world without errors into what the core reads, and into what can be explained of it.</summary>
internal static class ConfigCompiler
{
    public static (MeshConfig Config, ImmutableArray<EffectivePool> Effective) Compile(World world, long version)
    {
        var pools = world.Pools.Select(p => new PoolSettingsBuilder(world, p).Build()).ToList();
        var config = new MeshConfig
        {
            Version = version,
            Clusters = [.. world.Fleet.Values],
            Pools = [.. pools.Select(p => p.Config)],
            Gateways = GatewayCompiler.Compile(world),
            Routes = RouteCompiler.Compile(world),
            Objectives = ObjectiveCompiler.Compile(world),
        };
        return (config, [.. pools.Select(p => p.Effective)]);
    }
}
