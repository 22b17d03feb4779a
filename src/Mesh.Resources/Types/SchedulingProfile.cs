using Mesh.Core.Scheduling;
using Mesh.Core.StepTimes;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Reading;

namespace Mesh.Resources.Types;

/// <summary>How the endpoint of a request is chosen inside the backends that policy allows. A kind of the mesh's own.</summary>
internal sealed record SchedulingProfile(ResourceHeader Header) : Resource(Header), IPolicy
{
    public static KindDefinition Kind { get; } = new("SchedulingProfile", [MeshGroup.Version], Read) { ConfigClusterOnly = true };

    public LocalRef? Target { get; private init; }

    public Located<string>? BuiltIn { get; private init; }

    public LateBinding? LateBinding { get; private init; }

    public Located<double>? TimePerOutputTokenTargetMs { get; private init; }

    public Located<StepTimeTable>? StepTimes { get; private init; }

    private static SchedulingProfile Read(ResourceHeader header, ObjectReader root) =>
        root.Object("spec", spec => Spec(header, spec), required: true) ?? new SchedulingProfile(header);

    private static SchedulingProfile Spec(ResourceHeader header, ObjectReader spec)
    {
        var profile = new SchedulingProfile(header)
        {
            Target = spec.Object("targetRef", LocalRef.ReadTarget, required: true),
            BuiltIn = spec.Choice("builtIn", [.. ProfileNames.All.Select(n => (n, n))]),
            LateBinding = spec.Object("lateBinding", LateBinding.Read),
            TimePerOutputTokenTargetMs = spec.Number("timePerOutputTokenTargetMs", 0.1, 60_000),
            StepTimes = spec.Object("stepTimes", StepTimesReader.Read),
        };
        RefuseDeclaredRules(spec);
        if (profile.BuiltIn is { Value: not ProfileNames.Mesh } other && profile.LateBinding is { } late)
            spec.Report.Warning(
                late.At, DiagnosticCodes.LateBindingUnused, $"Profile {other.Value} binds every request at once: lateBinding has no effect",
                $"remove it, or write builtIn: {ProfileNames.Mesh}");
        return profile;
    }

    private static void RefuseDeclaredRules(ObjectReader spec)
    {
        ReadOnlySpan<string> declared = ["filters", "scorers", "picker"];
        spec.Ignore(declared);
        spec.Hide(declared);
        foreach (var name in declared)
        {
            if (!spec.Has(name)) continue;
            spec.Report.Error(
                spec.SpotOf(name), DiagnosticCodes.Unsupported,
                $"{spec.At.Path}.{name} is not read yet: a profile cannot be put together from single rules",
                $"name a profile: builtIn: {string.Join(", ", ProfileNames.All[..^1])} or {ProfileNames.All[^1]}");
            break;
        }
    }
}

/// <summary>Whether a request waits in the pool until its endpoint is nearly ready for it.</summary>
/// <param name="Enabled">Null where it is left to the default, which is on.</param>
/// <param name="BindAheadMs">Prompt work outstanding at which the endpoint counts as nearly ready, 0–10,000 ms.</param>
/// <param name="At">Place of the object.</param>
internal sealed record LateBinding(Located<bool>? Enabled, Located<int>? BindAheadMs, Spot At)
{
    public static LateBinding Read(ObjectReader r)
    {
        var enabled = r.Bool("enabled");
        var ahead = r.Int("bindAheadMs", 0, 10_000);
        if (enabled is { Value: false } && ahead is not null)
            r.Report.Warning(
                ahead.At, DiagnosticCodes.LateBindingUnused,
                "bindAheadMs has no effect while lateBinding is not enabled", "remove one of the two");
        return new LateBinding(enabled, ahead, r.At);
    }
}
