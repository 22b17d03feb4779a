namespace Mesh.Grains.Contracts;

/// <summary>One region, by name: keeps its clusters and the pools running.</summary>
[Alias("mesh.region")]
internal interface IRegionGrain : IGrainWithStringKey
{
    /// <summary>Keeps it running; tells what it keeps.</summary>
    [Alias("keep"), ResponseTimeout("00:00:02")]
    ValueTask<RegionStatus> Keep();
}

/// <summary>One cluster, by name: keeps its endpoints looked after.</summary>
[Alias("mesh.cluster")]
internal interface IClusterGrain : IGrainWithStringKey
{
    /// <summary>Keeps it running; tells what it keeps.</summary>
    [Alias("keep"), ResponseTimeout("00:00:02")]
    ValueTask<ClusterStatus> Keep();
}
