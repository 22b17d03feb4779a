using Mesh.Simulation.Baselines;
using Mesh.Simulation.World;

namespace Mesh.Simulation.Fleets;

/// <summary>Makes the routers of a world's regions.</summary>
internal static class Routers
{
    /// <summary>A router by its name, with a seed of its region's own.</summary>
    /// <exception cref="ArgumentException">No router has that name.</exception>
    public static IWorldRouter Make(string name, ulong seed, int region) =>
        RouterCatalog.Make(name, SeedOf(seed, region)) ?? throw new ArgumentException($"No router is named {name}.", nameof(name));

    /// <summary>Seed of a region.</summary>
    public static ulong SeedOf(ulong seed, int region) => BlockHash.Mix(seed + (ulong)region + 1);
}
