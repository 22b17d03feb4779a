namespace Mesh.Resources.Reading;

/// <summary>Bounds of what one load reads, so that a wrong mount or a hostile file cannot take the process down.</summary>
internal static class ReadingLimits
{
    /// <summary>Clusters in one directory.</summary>
    public const int MaxClusters = 1_000;

    /// <summary>Manifest files in all clusters.</summary>
    public const int MaxFiles = 20_000;

    /// <summary>Size of one file.</summary>
    public const long MaxFileBytes = 64L * 1024 * 1024;

    /// <summary>Nodes of one document, those that aliases repeat counted each time.</summary>
    public const int MaxNodesPerDocument = 2_000_000;

    /// <summary>Depth of nesting.</summary>
    public const int MaxDepth = 64;
}
