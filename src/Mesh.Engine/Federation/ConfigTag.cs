namespace Mesh.Engine.Federation;

/// <summary>Which configuration a region goes by.</summary>
/// <param name="Cluster">The config cluster; empty for a region that has no configuration yet.</param>
/// <param name="Origin">Its region.</param>
/// <param name="Version">Rises with every edit in the region of origin.</param>
/// <param name="Hash">Of its contents, in hexadecimal.</param>
public sealed record ConfigTag(string Cluster, string Origin, long Version, string Hash)
{
    /// <summary>No configuration.</summary>
    public static ConfigTag None { get; } = new("", "", 0, "");

    /// <summary>True for no configuration.</summary>
    public bool IsNone => Cluster.Length == 0;
}
