namespace Mesh.Core.Config;

/// <summary>One backend of a pool: its endpoints in one zone of one cluster, on one target port.</summary>
/// <param name="Cluster">Cluster name.</param>
/// <param name="Zone">Zone, for example <c>europe-west3-c</c>.</param>
/// <param name="Port">Target port, 1–65535.</param>
public readonly record struct BackendId(string Cluster, string Zone, int Port) : IComparable<BackendId>
{
    /// <inheritdoc/>
    public int CompareTo(BackendId other)
    {
        var byCluster = string.CompareOrdinal(Cluster, other.Cluster);
        if (byCluster != 0) return byCluster;
        var byZone = string.CompareOrdinal(Zone, other.Zone);
        return byZone != 0 ? byZone : Port.CompareTo(other.Port);
    }

    /// <summary><c>cluster/zone:port</c>.</summary>
    public override string ToString() => $"{Cluster}/{Zone}:{Port}";
}
