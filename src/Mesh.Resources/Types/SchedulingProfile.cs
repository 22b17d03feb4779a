using Mesh.Core.FlowControl;
using Mesh.Core.Scheduling;
using Mesh.Core.Scheduling.Rules;
using Mesh.Core.StepTimes;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Reading;

namespace Mesh.Resources.Types;

/// <summary>How the endpoint of a request is chosen inside the backends that policy allows. A kind of the mesh's own.</summary>
internal sealed record SchedulingProfile(ResourceHeader Header) : Resource(Header), IPolicy
{
    public static KindDefinition Kind { get; } = new("SchedulingProfile", [MeshGroup.Version], Read) { ConfigClusterOnly = true };

    public LocalRef? Target { get; private init; }

    /// <summary>Profile that holds, or that the declared rules build on.</summary>
    public Located<string>? BuiltIn { get; private init; }

    public ProfileRules Rules { get; private init; } = new();

    /// <summary>Whether requests wait in the pool for the endpoint of their choice.</summary>
    public Located<bool>? BindsLate { get; private init; }

    public LateBinding? LateBinding { get; private init; }

    /// <summary>Order of those who wait, inside one flow.</summary>
    public Located<QueueOrder>? Order { get; private init; }

    public Located<double>? TimePerOutputTokenTargetMs { get; private init; }

    public Located<StepTimeTable>? StepTimes { get; private init; }

    /// <summary>The rules of the whole profile; null for a built-in one as it is.</summary>
    public ProfileDeclaration? Declared => Rules.Any ? Rules.Over(BuiltIn?.Value) : null;

    private static SchedulingProfile Read(ResourceHeader header, ObjectReader root) =>
        root.Object("spec", spec => Spec(header, spec), required: true) ?? new SchedulingProfile(header);

    private static SchedulingProfile Spec(ResourceHeader header, ObjectReader spec)
    {
        var profile = new SchedulingProfile(header)
        {
            Target = spec.Object("targetRef", LocalRef.ReadTarget, required: true),
            BuiltIn = spec.Choice("builtIn", [.. ProfileNames.All.Select(n => (n, n))]),
            Rules = ProfileRules.Read(spec),
            BindsLate = spec.Choice("binding", [("Late", true), ("Early", false)]),
            LateBinding = spec.Object("lateBinding", LateBinding.Read),
            Order = spec.Choice("order", [("Shortest", QueueOrder.Shortest), ("Fcfs", QueueOrder.Fcfs)]),
            TimePerOutputTokenTargetMs = spec.Number("timePerOutputTokenTargetMs", 0.1, 60_000),
            StepTimes = spec.Object("stepTimes", StepTimesReader.Read),
        };
        profile.Rules.Check(spec, profile.BuiltIn);
        profile.CheckBinding(spec);
        return profile;
    }

    private void CheckBinding(ObjectReader spec)
    {
        if (BindsLate is { } binding && LateBinding?.Enabled is { } enabled && binding.Value != enabled.Value)
            spec.Report.Error(
                binding.At, DiagnosticCodes.AliasConflict, $"{binding.At.Path} and {enabled.At.Path} contradict each other", "keep one of the two");
        else if (BindsLate is { Value: false } && LateBinding is { BindAheadMs: not null, Enabled: not { Value: false } })
            spec.Report.Warning(
                LateBinding.At, DiagnosticCodes.LateBindingUnused, "lateBinding has no effect while binding is Early", "remove one of the two");
        if (BindsLate is not { Value: true } && LateBinding is null) return;
        var at = LateBinding?.At ?? BindsLate!.At;
        if (Declared is { } declared)
        {
            if (RuleCatalog.Find(RuleKind.Picker, declared.Picker.Name) is { PredictsCosts: false } picker)
                spec.Report.Warning(
                    at, DiagnosticCodes.LateBindingUnused, $"Picker {picker.Name} binds every request at once: {(LateBinding is null ? "binding: Late" : "lateBinding")} has no effect",
                    "remove it, or write picker: {name: least-cost}");
        }
        else if (BuiltIn is { Value: not ProfileNames.Mesh } other)
        {
            spec.Report.Warning(
                at, DiagnosticCodes.LateBindingUnused, $"Profile {other.Value} binds every request at once: {(LateBinding is null ? "binding: Late" : "lateBinding")} has no effect",
                $"remove it, or write builtIn: {ProfileNames.Mesh}");
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
