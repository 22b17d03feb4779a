using System.Collections.Immutable;
using Mesh.Resources.Reading;

namespace Mesh.Resources.Types;

/// <summary>A kind that the mesh reads.</summary>
/// <param name="Name">Kind, for example <c>InferencePool</c>.</param>
/// <param name="ApiVersions">Accepted <c>apiVersion</c>s, the preferred one first.</param>
/// <param name="Read">Reads the fields beside <c>apiVersion</c>, <c>kind</c>, <c>metadata</c> and <c>status</c>.</param>
internal sealed record KindDefinition(string Name, ImmutableArray<string> ApiVersions, Func<ResourceHeader, ObjectReader, Resource?> Read)
{
    /// <summary>Core kinds carry many fields that do not concern the mesh: unknown ones are accepted.</summary>
    public bool IsCore { get; init; }

    /// <summary>Counts in the config cluster only.</summary>
    public bool ConfigClusterOnly { get; init; }

    /// <summary>The group of the preferred version; empty for the core group.</summary>
    public string Group => ApiVersions[0].IndexOf('/') is var slash and > 0 ? ApiVersions[0][..slash] : "";
}

/// <summary>One object of the manifests.</summary>
internal abstract record Resource(ResourceHeader Header)
{
    public string Cluster => Header.Cluster;

    public string Namespace => Header.Namespace;

    public string Name => Header.Name;

    public Spot At => Header.At;
}
