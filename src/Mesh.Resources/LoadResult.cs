using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Effective;
using Mesh.Resources.Status;

namespace Mesh.Resources;

/// <summary>What one reading of a manifest directory gave.</summary>
public sealed record LoadResult
{
    /// <summary>The configuration; null when there is an error.</summary>
    public MeshConfig? Config { get; init; }

    /// <summary>The fleet as far as it could be read, ordered by name; present even when there are errors.</summary>
    public ImmutableArray<ClusterConfig> Clusters { get; init; } = [];

    /// <summary>All findings, ordered by file and line.</summary>
    public ImmutableArray<Diagnostic> Diagnostics { get; init; } = [];

    /// <summary>Conditions of every object that the mesh reads, and of the computed imports, ordered by cluster, kind, namespace and name.
    /// Present even when there are errors.</summary>
    public ImmutableArray<ResourceStatus> Statuses { get; init; } = [];

    /// <summary>What holds for each pool and backend and where it was taken from, ordered by id; empty when there is an error.</summary>
    public ImmutableArray<EffectivePool> Effective { get; init; } = [];

    /// <summary>True when at least one finding is an error.</summary>
    public bool HasErrors => Diagnostics.Any(d => d.Severity == Severity.Error);
}
