namespace Mesh.Simulation.Model;

/// <summary>Hears what an engine's cache holds, as it changes. Called while a step is planned.</summary>
internal interface IKvBlockObserver
{
    /// <summary>Blocks can be found from now on.</summary>
    /// <param name="request">Whose they are.</param>
    /// <param name="first">Number of the first among the request's blocks.</param>
    /// <param name="count">How many, one after the other.</param>
    void OnStored(in VllmRequest request, int first, int count);

    /// <summary>A block can no longer be found.</summary>
    void OnRemoved(ulong hash);

    /// <summary>No block can be found any more.</summary>
    void OnCleared();
}
