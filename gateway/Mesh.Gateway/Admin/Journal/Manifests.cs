using Mesh.Gateway.Admin.Shapes;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Effective;
using Mesh.Resources.Status;

namespace Mesh.Gateway.Admin.Journal;

/// <summary>Objects, findings and changes of manifests in the API's shapes.</summary>
internal static class Manifests
{
    /// <summary>An object with its conditions.</summary>
    /// <param name="status">The object.</param>
    /// <param name="sinceOf">Since when a condition, by its type, holds.</param>
    public static ObjectShape Of(ResourceStatus status, Func<string, DateTimeOffset> sinceOf) => new()
    {
        Cluster = status.Cluster,
        ApiVersion = status.ApiVersion,
        Kind = status.Kind,
        Namespace = status.Namespace,
        Name = status.Name,
        File = status.File,
        Line = status.Line > 0 ? status.Line : null,
        Conditions = [.. status.Conditions.Select(c => new ConditionShape(c.Type, c.Status, c.Reason, c.Message.Length > 0 ? c.Message : null, sinceOf(c.Type)))],
        Findings = [.. status.Findings.Select(Of)],
    };

    /// <summary>A finding.</summary>
    public static FindingShape Of(Diagnostic finding) =>
        new(WordOf(finding.Severity), finding.File, finding.Line, finding.Column, finding.Path, finding.Code, finding.Message, finding.Hint);

    /// <summary>A change.</summary>
    public static ChangedSettingShape Of(ConfigChange change) => new(change.Kind, change.Subject, change.Backend, change.Name, change.Before, change.After);

    /// <summary>A setting and where it is written.</summary>
    public static SettingShape Of(EffectiveSetting setting) => new(
        setting.Name, setting.Value, setting.Origin.ToString(), WordOf(setting.Origin.Kind), setting.Origin.File, setting.Origin.Line > 0 ? setting.Origin.Line : null);

    private static string WordOf(Severity severity) => severity switch
    {
        Severity.Error => "error",
        Severity.Warning => "warning",
        _ => "info",
    };

    private static string WordOf(OriginKind kind) => kind switch
    {
        OriginKind.BuiltIn => "builtIn",
        OriginKind.Policy => "policy",
        OriginKind.Scope => "scope",
        _ => "inferred",
    };
}
