using System.Collections.Immutable;
using Mesh.Resources.Diagnostics;

namespace Mesh.Resources.Status;

/// <summary>Conditions of one object.</summary>
public sealed record ResourceStatus
{
    /// <summary>Cluster in whose directory it stands; the config cluster for a computed import.</summary>
    public required string Cluster { get; init; }

    /// <summary>For example <c>networking.gke.io/v1</c>.</summary>
    public required string ApiVersion { get; init; }

    /// <summary>Kind.</summary>
    public required string Kind { get; init; }

    /// <summary>Namespace.</summary>
    public required string Namespace { get; init; }

    /// <summary>Name.</summary>
    public required string Name { get; init; }

    /// <summary>File relative to the manifest directory; null for what is computed.</summary>
    public string? File { get; init; }

    /// <summary>Line of its name, from 1; 0 for what is computed.</summary>
    public int Line { get; init; }

    /// <summary>Conditions in a fixed order.</summary>
    public ImmutableArray<Condition> Conditions { get; init; } = [];

    /// <summary>What was found in the object, in the order of its lines.</summary>
    public ImmutableArray<Diagnostic> Findings { get; init; } = [];
}

/// <summary>One condition, as Kubernetes writes it.</summary>
/// <param name="Type">Accepted, ResolvedRefs, Programmed, Attached or Exported.</param>
/// <param name="Status">True or false.</param>
/// <param name="Reason">Word for machines, for example <c>Conflicted</c>.</param>
/// <param name="Message">Sentence for people; may be empty.</param>
public sealed record Condition(string Type, bool Status, string Reason, string Message);
