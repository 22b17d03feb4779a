using Mesh.Core.Config;
using Mesh.Grains.Keeping;
using Mesh.Grains.Placing;
using Mesh.Grains.Rehearsing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Mesh.Grains.Hosting;

/// <summary>Puts the mesh's grains on a silo.</summary>
public static class MeshSiloExtensions
{
    /// <summary>
    /// Adds the grains, their placement, and what keeps them running. The configuration comes in through the <see cref="SiloConfiguration"/> that
    /// the services hold.
    /// </summary>
    /// <param name="silo">The silo.</param>
    /// <param name="options">Settings, the same on every silo.</param>
    /// <param name="configuration">What the grains run by; null makes one of <see cref="MeshConfig.Empty"/>.</param>
    public static ISiloBuilder AddMeshGrains(this ISiloBuilder silo, GrainOptions options, SiloConfiguration? configuration = null)
    {
        ArgumentNullException.ThrowIfNull(silo);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        silo.Services.AddSingleton(options);
        silo.Services.AddSingleton(configuration ?? new SiloConfiguration());
        silo.Services.TryAddSingleton(new MeshClock(TimeProvider.System));
        silo.Services.AddSingleton<SiloMesh>();
        silo.AddPlacementDirector<SteadyPlacement, SteadyPlacementDirector>();
        silo.Services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>, SiloRehearsal>();
        silo.Services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>, MeshKeeper>();
        return silo;
    }
}
