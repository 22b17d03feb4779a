using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Resources.Reading;
using Mesh.Resources.Types;

namespace Mesh.Resources.Compiling;

/// <summary>An import, or a cluster's own pool, before its policies are applied.</summary>
/// <param name="Id">Its identity in the configuration.</param>
/// <param name="LocalToCluster">Cluster of a pool of its own; null for an import.</param>
/// <param name="Members">InferencePools that it unites, ordered by cluster.</param>
/// <param name="Backends">Backends ordered by id.</param>
internal sealed record PoolDraft(
    PoolId Id, string? LocalToCluster, ImmutableArray<InferencePool> Members, ImmutableArray<BackendDraft> Backends)
{
    public IEnumerable<EndpointDraft> Endpoints => Backends.SelectMany(b => b.Endpoints);

    /// <summary>Kind by which policies and routes name it.</summary>
    public string KindName => LocalToCluster is null ? GcpInferencePoolImport.KindName : "InferencePool";

    /// <summary>Identity of a cluster's own pool: no import can have this name, as @ stands in no Kubernetes name.</summary>
    public static PoolId LocalId(string cluster, string @namespace, string name) => new(@namespace, $"{name}@{cluster}");
}

/// <summary>The endpoints in one zone of one cluster on one port.</summary>
/// <param name="Id">Cluster, zone and port.</param>
/// <param name="Region">Region of the cluster.</param>
/// <param name="Labels">What scopes select by.</param>
/// <param name="Endpoints">Endpoints ordered by address.</param>
internal sealed record BackendDraft(
    BackendId Id, string Region, ImmutableSortedDictionary<string, string> Labels, ImmutableArray<EndpointDraft> Endpoints);

/// <summary>One endpoint with the object that declares it.</summary>
/// <param name="Address">IP address, IPv6 in brackets.</param>
/// <param name="Port">Serving port.</param>
/// <param name="Zone">Its zone; empty where none is known.</param>
/// <param name="PodName">Pod, or the address where a slice names no pod.</param>
/// <param name="Owner">Pod or EndpointSlice.</param>
/// <param name="At">Place of the address.</param>
internal sealed record EndpointDraft(string Address, int Port, string Zone, string PodName, Resource Owner, Spot At)
{
    public string Text => $"{Address}:{Port}";

    /// <summary>How messages name it.</summary>
    public string Title => $"{Owner.Header.Kind.Name} {Owner.Header.FullName} of {Owner.Cluster} ({At})";
}
