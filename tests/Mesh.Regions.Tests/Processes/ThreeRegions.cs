namespace Mesh.Regions.Tests.Processes;

/// <summary>Three linked regions, shared by the tests of a class.</summary>
public sealed class ThreeRegions : RegionGroup, IAsyncLifetime
{
    /// <summary>Requests that one region takes.</summary>
    internal const int Capacity = 16;

    public ThreeRegions()
        : base(3, isSpread: true)
    {
    }

    public Task InitializeAsync() => StartAsync(peers: 2);

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();
}
