using System.Collections.Immutable;
using Mesh.Resources.Diagnostics;

namespace Mesh.Resources.Status;

/// <summary>Which finding makes which condition false, and for what reason.</summary>
internal static class ConditionReasons
{
    /// <summary>The object does not count where it stands.</summary>
    public static ImmutableDictionary<string, string> Outside { get; } = new Dictionary<string, string>
    {
        [DiagnosticCodes.NotConfigCluster] = "NotConfigCluster",
    }.ToImmutableDictionary();

    /// <summary>A route attaches to nothing.</summary>
    public static ImmutableDictionary<string, string> Parents { get; } = new Dictionary<string, string>
    {
        [DiagnosticCodes.ParentUnresolved] = "NoMatchingParent",
        [DiagnosticCodes.ListenerUnresolved] = "NoMatchingParent",
        [DiagnosticCodes.RouteNotAllowed] = "NotAllowedByListeners",
        [DiagnosticCodes.RouteHostMismatch] = "NoMatchingListenerHostname",
        [DiagnosticCodes.RouteWithoutParent] = "NoMatchingParent",
    }.ToImmutableDictionary();

    /// <summary>A reference leads nowhere.</summary>
    public static ImmutableDictionary<string, string> Refs { get; } = new Dictionary<string, string>
    {
        [DiagnosticCodes.BackendKind] = "InvalidKind",
        [DiagnosticCodes.BackendNamespace] = "RefNotPermitted",
        [DiagnosticCodes.BackendUnresolved] = "BackendNotFound",
        [DiagnosticCodes.PoolUnresolved] = "PoolNotFound",
    }.ToImmutableDictionary();

    /// <summary>An object is accepted but nothing runs by it.</summary>
    public static ImmutableDictionary<string, string> Programming { get; } = new Dictionary<string, string>
    {
        [DiagnosticCodes.MetricWithoutPods] = "NoPods",
    }.ToImmutableDictionary();

    /// <summary>A policy holds for nothing.</summary>
    public static ImmutableDictionary<string, string> Attachment { get; } = new Dictionary<string, string>
    {
        [DiagnosticCodes.NotConfigCluster] = "NotConfigCluster",
        [DiagnosticCodes.PolicyConflict] = "Conflicted",
        [DiagnosticCodes.TargetKind] = "InvalidKind",
        [DiagnosticCodes.TargetUnresolved] = "TargetNotFound",
    }.ToImmutableDictionary();

    /// <summary>The first finding of a group with its reason; null without one.</summary>
    public static (string Reason, Diagnostic Finding)? First(ImmutableArray<Diagnostic> findings, ImmutableDictionary<string, string> group)
    {
        foreach (var finding in findings)
        {
            if (group.TryGetValue(finding.Code, out var reason)) return (reason, finding);
        }

        return null;
    }
}
