namespace Mesh.Core.SpillOver;

/// <summary><c>serviceLbAlgorithm</c> of GCPTrafficDistributionPolicy.</summary>
public enum DistributionAlgorithm
{
    /// <summary>The nearest region with room first; its backends evenly filled.</summary>
    WaterfallByRegion,

    /// <summary>The nearest zone with room first.</summary>
    WaterfallByZone,

    /// <summary>The nearest region with room first; every client's requests are spread over all its backends by capacity.</summary>
    SprayToRegion,

    /// <summary>All backends of the world by capacity.</summary>
    SprayToWorld,
}
