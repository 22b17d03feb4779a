using System.Collections.Immutable;

namespace Mesh.Gateway.Admin.Shapes;

/// <summary>What the gateway runs by, and what became of every edit.</summary>
internal sealed record ConfigurationShape
{
    /// <summary>Version in force.</summary>
    public required long Version { get; init; }

    /// <summary>Where it is read from; absent where it was handed over by a program.</summary>
    public string? Source { get; init; }

    /// <summary>When the version in force was taken.</summary>
    public required DateTimeOffset TakenAt { get; init; }

    /// <summary>True when what stands in the source is in force; false while its last edit is refused.</summary>
    public required bool InForce { get; init; }

    /// <summary>Why the last edit is not in force; absent when it is.</summary>
    public string? Problem { get; init; }

    /// <summary>Errors of the last reading.</summary>
    public required int Errors { get; init; }

    /// <summary>Warnings of the last reading.</summary>
    public required int Warnings { get; init; }

    /// <summary>Objects of the last reading, by cluster, kind, namespace and name.</summary>
    public required ImmutableArray<ObjectShape> Objects { get; init; }

    /// <summary>Every finding of the last reading, by file and line.</summary>
    public required ImmutableArray<FindingShape> Findings { get; init; }

    /// <summary>Edits, the newest first, at most 100.</summary>
    public required ImmutableArray<EditShape> History { get; init; }
}

/// <summary>One object of the manifests, or a computed import.</summary>
internal sealed record ObjectShape
{
    /// <summary>Cluster.</summary>
    public required string Cluster { get; init; }

    /// <summary>API version.</summary>
    public required string ApiVersion { get; init; }

    /// <summary>Kind.</summary>
    public required string Kind { get; init; }

    /// <summary>Namespace.</summary>
    public required string Namespace { get; init; }

    /// <summary>Name.</summary>
    public required string Name { get; init; }

    /// <summary>File; absent for what is computed.</summary>
    public string? File { get; init; }

    /// <summary>Line from 1; absent for what is computed.</summary>
    public int? Line { get; init; }

    /// <summary>Conditions.</summary>
    public required ImmutableArray<ConditionShape> Conditions { get; init; }

    /// <summary>What was found in it.</summary>
    public required ImmutableArray<FindingShape> Findings { get; init; }
}

/// <summary>A condition, as Kubernetes writes it.</summary>
/// <param name="Type">Type.</param>
/// <param name="Status">True or false.</param>
/// <param name="Reason">Word for machines.</param>
/// <param name="Message">Sentence for people; absent when there is none.</param>
/// <param name="Since">When it took this status.</param>
internal sealed record ConditionShape(string Type, bool Status, string Reason, string? Message, DateTimeOffset Since);

/// <summary>One finding.</summary>
/// <param name="Severity"><c>error</c>, <c>warning</c> or <c>info</c>.</param>
/// <param name="File">File.</param>
/// <param name="Line">Line from 1; 0 where none is concerned.</param>
/// <param name="Column">Column from 1; 0 where none is concerned.</param>
/// <param name="Path">Path of the field; may be empty.</param>
/// <param name="Code">Rule.</param>
/// <param name="Message">What is wrong.</param>
/// <param name="Hint">What to write instead; absent where the message says it.</param>
internal sealed record FindingShape(string Severity, string File, int Line, int Column, string Path, string Code, string Message, string? Hint);

/// <summary>One edit.</summary>
/// <param name="Time">When it was read.</param>
/// <param name="Version">Version in force after it.</param>
/// <param name="Result"><c>started</c>, <c>taken</c>, <c>refused</c> or <c>unusable</c>.</param>
/// <param name="Errors">Errors.</param>
/// <param name="Warnings">Warnings.</param>
/// <param name="Problem">Why it was not taken; absent when it was.</param>
/// <param name="Changes">What it changed in effect, at most 200.</param>
/// <param name="ChangeCount">All changes.</param>
internal sealed record EditShape(
    DateTimeOffset Time, long Version, string Result, int Errors, int Warnings, string? Problem, ImmutableArray<ChangedSettingShape> Changes, int ChangeCount);

/// <summary>What an edit changed in effect.</summary>
/// <param name="Kind">Kind of the subject.</param>
/// <param name="Subject">Its name.</param>
/// <param name="Backend">Backend; absent for the whole of it.</param>
/// <param name="Name">Setting.</param>
/// <param name="Before">Old value; absent where there was none.</param>
/// <param name="After">New value; absent where there is none.</param>
internal sealed record ChangedSettingShape(string Kind, string Subject, string? Backend, string Name, string? Before, string? After);
