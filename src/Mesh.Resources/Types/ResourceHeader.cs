using System.Collections.Immutable;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Reading;

namespace Mesh.Resources.Types;

/// <summary>What every object has: its identity, its metadata and its place in the manifests.</summary>
internal sealed record ResourceHeader
{
    public required KindDefinition Kind { get; init; }

    public required string ApiVersion { get; init; }

    /// <summary>Cluster in whose directory the object stands.</summary>
    public required string Cluster { get; init; }

    public required string Namespace { get; init; }

    public required string Name { get; init; }

    public ImmutableSortedDictionary<string, string> Labels { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    public ImmutableSortedDictionary<string, string> Annotations { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    public DateTimeOffset? CreatedAt { get; init; }

    public bool IsBeingDeleted { get; init; }

    /// <summary>Place of the object; its path is empty but for items of a List.</summary>
    public required Spot At { get; init; }

    /// <summary>Place of <c>metadata.name</c>.</summary>
    public required Spot NameAt { get; init; }

    /// <summary>Place of <c>metadata.annotations</c>.</summary>
    public Spot AnnotationsAt { get; init; }

    /// <summary><c>namespace/name</c>.</summary>
    public string FullName => $"{Namespace}/{Name}";
}

/// <summary>Reads <c>metadata</c>.</summary>
internal static class MetadataReader
{
    public const string DefaultNamespace = "default";

    /// <summary>Null when there is no name, which is reported.</summary>
    public static ResourceHeader? Read(ObjectReader root, KindDefinition kind, string apiVersion, string cluster) =>
        root.Object("metadata", m => Read(m, root.At, kind, apiVersion, cluster), required: true);

    private static ResourceHeader? Read(ObjectReader m, Spot at, KindDefinition kind, string apiVersion, string cluster)
    {
        var name = m.String("name", required: true, maxLength: 253);
        var space = m.String("namespace", maxLength: 63);
        var labels = m.Map("labels");
        var annotations = m.Map("annotations");
        var created = m.Timestamp("creationTimestamp");
        var deleted = m.Timestamp("deletionTimestamp");
        m.Ignore(
            "generateName", "deletionGracePeriodSeconds", "finalizers", "generation", "managedFields", "ownerReferences",
            "resourceVersion", "selfLink", "uid", "clusterName");
        if (name is not null && !KubernetesNames.IsName(name.Value))
            m.Report.Error(
                name.At, DiagnosticCodes.InvalidName, $"{name.Value} is no valid name", "use lower-case letters, digits, - and .");
        if (space is not null && !KubernetesNames.IsName(space.Value))
            m.Report.Error(
                space.At, DiagnosticCodes.InvalidName, $"{space.Value} is no valid namespace", "use lower-case letters, digits and -");
        if (labels is not null) KubernetesNames.CheckLabels(labels, m.Report);
        if (name is null) return null;
        return new ResourceHeader
        {
            Kind = kind,
            ApiVersion = apiVersion,
            Cluster = cluster,
            Namespace = space?.Value ?? DefaultNamespace,
            Name = name.Value,
            Labels = labels?.Value ?? ImmutableSortedDictionary<string, string>.Empty,
            Annotations = annotations?.Value ?? ImmutableSortedDictionary<string, string>.Empty,
            CreatedAt = created?.Value,
            IsBeingDeleted = deleted is not null,
            At = at,
            NameAt = name.At,
            AnnotationsAt = annotations?.At ?? m.At,
        };
    }
}
