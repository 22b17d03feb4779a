using Mesh.Grains.Hosting;
using Mesh.Grains.Pools;
using Orleans.Placement;
using Orleans.Runtime.Placement;

namespace Mesh.Grains.Placing;

/// <summary>
/// Puts a grain where its name says (<see cref="Rendezvous"/>): grains spread over the silos, every silo finds the same place, and a silo that
/// comes or goes moves only the grains that belong there.
/// </summary>
[GenerateSerializer, Immutable, SuppressReferenceTracking, Alias("mesh.steady-placement")]
internal sealed class SteadyPlacement : PlacementStrategy
{
    public static SteadyPlacement Instance { get; } = new();
}

/// <summary>Marks a grain class for <see cref="SteadyPlacement"/>.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class SteadyPlacementAttribute() : PlacementAttribute(SteadyPlacement.Instance);

/// <summary>Chooses the silo: the one that is asked for, this one where a pool has just had to end here, or else the one where the name belongs.</summary>
internal sealed class SteadyPlacementDirector(SiloMesh mesh) : IPlacementDirector
{
    private readonly GrainType _poolType = GrainType.Create(PoolKey.GrainType);

    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        var silos = context.GetCompatibleSilos(target);
        var hint = IPlacementDirector.GetPlacementHint(target.RequestContextData, silos);
        if (hint is null && HasJustEndedHere(target.GrainIdentity) && silos.Contains(context.LocalSilo)) hint = context.LocalSilo;
        return Task.FromResult(hint ?? Rendezvous.Choose(target.GrainIdentity.ToString(), silos));
    }

    private bool HasJustEndedHere(GrainId grain) =>
        grain.Type == _poolType && mesh.Leftovers.Has(grain.Key.ToString()!);
}
