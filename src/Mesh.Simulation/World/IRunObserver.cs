namespace Mesh.Simulation.World;

/// <summary>Is told how every request ended.</summary>
internal interface IRunObserver
{
    /// <summary>A request was answered in full; the clock stands at its last token's arrival at the gateway.</summary>
    void OnServed(WorldRequest request, double nowMs);

    /// <summary>A request was turned away.</summary>
    void OnRefused(WorldRequest request, double nowMs);
}
