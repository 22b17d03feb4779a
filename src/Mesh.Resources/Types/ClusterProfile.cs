using System.Collections.Immutable;
using Mesh.Resources.Reading;

namespace Mesh.Resources.Types;

/// <summary>
/// One cluster of the fleet (SIG Multicluster's inventory kind). Region and zone come from its labels or, as a cluster manager
/// writes them, from its status properties; all other labels are the cluster's own, for scopes to select. The annotations
/// <c>mesh.internal/gateway-url</c> and <c>mesh.internal/gateway-name</c>, or properties of these names, say where the gateway of its region
/// answers those of other regions.
/// </summary>
internal sealed record ClusterProfile(ResourceHeader Header) : Resource(Header)
{
    public const string NameLabel = "gke.io/cluster-name";
    public const string RegionLabel = "gke.io/region";
    public const string ZoneLabel = "gke.io/zone";

    /// <summary>Annotation that names the config cluster: <c>"true"</c> on exactly one profile. The domain is reserved for private use.</summary>
    public const string ConfigClusterAnnotation = "mesh.internal/config-cluster";

    /// <summary>Annotation or property: base addresses of its region's federation listener, by commas.</summary>
    public const string GatewayUrlAnnotation = "mesh.internal/gateway-url";

    /// <summary>Annotation or property: name of its region's gateway; its region without one.</summary>
    public const string GatewayNameAnnotation = "mesh.internal/gateway-name";

    public static KindDefinition Kind { get; } = new("ClusterProfile", ["multicluster.x-k8s.io/v1alpha1"], Read);

    public string? Region { get; private init; }

    public string? Zone { get; private init; }

    /// <summary>Where its region's gateway answers peers; none where it does not say.</summary>
    public ImmutableArray<string> GatewayUrls { get; private init; } = [];

    /// <summary>Name of that gateway among its peers; null where it does not say.</summary>
    public string? GatewayName { get; private init; }

    public bool IsConfigCluster =>
        Header.Annotations.TryGetValue(ConfigClusterAnnotation, out var value) && value.Equals("true", StringComparison.OrdinalIgnoreCase);

    private static ClusterProfile Read(ResourceHeader header, ObjectReader root)
    {
        root.Object("spec", spec =>
        {
            spec.String("displayName");
            return spec.Object("clusterManager", m => m.String("name", required: true));
        });
        var properties = root.Object("status", Properties, tolerant: true) ?? ImmutableSortedDictionary<string, string>.Empty;
        string? Note(string name) => header.Annotations.GetValueOrDefault(name) ?? properties.GetValueOrDefault(name);
        return new ClusterProfile(header)
        {
            Region = header.Labels.GetValueOrDefault(RegionLabel) ?? properties.GetValueOrDefault(RegionLabel),
            Zone = header.Labels.GetValueOrDefault(ZoneLabel) ?? properties.GetValueOrDefault(ZoneLabel),
            GatewayUrls = [.. (Note(GatewayUrlAnnotation) ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)],
            GatewayName = Note(GatewayNameAnnotation),
        };
    }

    private static ImmutableSortedDictionary<string, string> Properties(ObjectReader status)
    {
        var found = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        status.List<object>("properties", p =>
        {
            if (p.String("name", required: true) is { } name && p.String("value", required: true) is { } value)
                found[name.Value] = value.Value;
            return null;
        });
        return found.ToImmutable();
    }
}
