using Mesh.Resources.Reading;
using Mesh.Simulation.Baselines;

namespace Mesh.Cli.Replay;

/// <summary>Names of routers on a command line.</summary>
internal static class RouterNames
{
    /// <summary>The name, which is known.</summary>
    /// <exception cref="ArgumentException">No router has it; the message names those that there are, and the nearest.</exception>
    public static string Check(string name)
    {
        if (RouterCatalog.Make(name, 0) is not null) return name;
        var nearest = NearestName.Of(name, RouterCatalog.Names);
        throw new ArgumentException($"No router is named {name}; there are {string.Join(", ", RouterCatalog.Names)}{(nearest is null ? "" : $"; did you mean {nearest}?")}");
    }
}
