namespace Mesh.Gateway.Drains;

/// <summary>What an operator can drain.</summary>
internal enum DrainKind
{
    /// <summary>One endpoint, by <c>ip:port</c>.</summary>
    Endpoint,

    /// <summary>Every endpoint of a cluster.</summary>
    Cluster,

    /// <summary>Every endpoint of a region's clusters.</summary>
    Region,
}

/// <summary>Their names in requests and files.</summary>
internal static class DrainKinds
{
    /// <summary>All names, for messages.</summary>
    public const string Names = "endpoint, cluster, region";

    /// <summary>The kind of a name; false for another word.</summary>
    public static bool TryParse(string? name, out DrainKind kind)
    {
        kind = name switch
        {
            "cluster" => DrainKind.Cluster,
            "region" => DrainKind.Region,
            _ => DrainKind.Endpoint,
        };
        return name is "endpoint" or "cluster" or "region";
    }

    /// <summary>Name of a kind.</summary>
    public static string NameOf(DrainKind kind) => kind switch
    {
        DrainKind.Cluster => "cluster",
        DrainKind.Region => "region",
        _ => "endpoint",
    };
}
