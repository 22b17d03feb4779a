namespace Mesh.Silo.Tests;

/// <summary>A test that needs a Redis server; skipped with the reason where there is none.</summary>
public sealed class RegionFactAttribute : FactAttribute
{
    public RegionFactAttribute() => Skip = ProcessRegion.WhyNot;
}
