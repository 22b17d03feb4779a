namespace Mesh.Grains;

/// <summary>Where a grain runs.</summary>
internal static class GrainPlaces
{
    /// <summary>The silo that an activation runs on.</summary>
    public static SiloAddress GetLocalSilo(this IGrainBase grain) => grain.GrainContext.Address.SiloAddress!;
}
