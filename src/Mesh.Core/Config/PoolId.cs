namespace Mesh.Core.Config;

/// <summary>One import: the union of the exported InferencePools of this namespace and name over all clusters.</summary>
/// <param name="Namespace">Kubernetes namespace.</param>
/// <param name="Name">Kubernetes name.</param>
public readonly record struct PoolId(string Namespace, string Name) : IComparable<PoolId>
{
    /// <inheritdoc/>
    public int CompareTo(PoolId other)
    {
        var byNamespace = string.CompareOrdinal(Namespace, other.Namespace);
        return byNamespace != 0 ? byNamespace : string.CompareOrdinal(Name, other.Name);
    }

    /// <summary><c>namespace/name</c>.</summary>
    public override string ToString() => $"{Namespace}/{Name}";
}
