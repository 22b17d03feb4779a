using Mesh.Resources.Diagnostics;
using Mesh.Resources.Reading;

namespace Mesh.Resources.Types;

/// <summary>A reference to an object of the same namespace.</summary>
/// <param name="Group">API group; empty for core.</param>
/// <param name="Kind">Kind.</param>
/// <param name="Name">Name.</param>
/// <param name="At">Place of the name.</param>
internal sealed record LocalRef(string Group, string Kind, string Name, Spot At)
{
    /// <summary>A reference whose group and kind have defaults.</summary>
    public static LocalRef? Read(ObjectReader r, string group, string kind)
    {
        var readGroup = r.String("group", allowEmpty: true)?.Value ?? group;
        var readKind = r.String("kind")?.Value ?? kind;
        return r.String("name", required: true) is { } name ? new LocalRef(readGroup, readKind, name.Value, name.At) : null;
    }

    /// <summary>A policy's target: group and kind are required, but a missing group is derived from the kind with a warning.</summary>
    public static LocalRef? ReadTarget(ObjectReader r)
    {
        var group = r.String("group", allowEmpty: true);
        var kind = r.String("kind", required: true);
        var name = r.String("name", required: true);
        if (kind is null || name is null) return null;
        if (group is not null) return new LocalRef(group.Value, kind.Value, name.Value, name.At);

        var derived = kind.Value switch
        {
            GcpInferencePoolImport.KindName => GcpInferencePoolImport.Group,
            "InferencePool" => InferencePool.Group,
            _ => "",
        };
        r.Report.Warning(
            r.At, DiagnosticCodes.TargetGroupDefaulted, $"{r.At.Path} has no group; \"{derived}\" is assumed for {kind.Value}",
            $"write group: {(derived.Length == 0 ? "\"\"" : derived)}");
        return new LocalRef(derived, kind.Value, name.Value, name.At);
    }
}
