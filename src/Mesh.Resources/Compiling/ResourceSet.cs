using System.Collections.Immutable;
using Mesh.Resources.Types;

namespace Mesh.Resources.Compiling;

/// <summary>All objects of a load, in a fixed order, each kind, cluster, namespace and name once (the first).</summary>
internal sealed class ResourceSet
{
    private readonly ILookup<Type, Resource> _byType;

    public ResourceSet(IEnumerable<Resource> resources)
    {
        var ordered = resources
            .OrderBy(r => r.Cluster, StringComparer.Ordinal)
            .ThenBy(r => r.Header.Kind.Name, StringComparer.Ordinal)
            .ThenBy(r => r.Namespace, StringComparer.Ordinal)
            .ThenBy(r => r.Name, StringComparer.Ordinal)
            .ToList();
        All = [.. ordered.DistinctBy(r => (r.Cluster, r.Header.Kind.Name, r.Namespace, r.Name))];
        Repeated = [.. ordered.GroupBy(r => (r.Cluster, r.Header.Kind.Name, r.Namespace, r.Name)).SelectMany(g => g.Skip(1).Select(r => (r, g.First())))];
        _byType = All.ToLookup(r => r.GetType());
    }

    /// <summary>Every object, ordered by cluster, kind, namespace and name.</summary>
    public ImmutableArray<Resource> All { get; }

    /// <summary>Objects that repeat the identity of another, with that other.</summary>
    public ImmutableArray<(Resource Object, Resource First)> Repeated { get; }

    /// <summary>Objects of one kind in the same order.</summary>
    public IEnumerable<T> Of<T>()
        where T : Resource => _byType[typeof(T)].Cast<T>();
}
