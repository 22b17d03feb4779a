using Mesh.Core.Scheduling;
using Mesh.Core.Scheduling.Rules;
using Mesh.Core.StepTimes;

namespace Mesh.Core.Config;

/// <summary>How the endpoint is chosen inside the backends that policy allows.</summary>
public sealed record SchedulingConfig
{
    /// <summary>Name of the profile: of a built-in one, <c>mesh</c> being least predicted cost, or of the object that declares it.</summary>
    public string Profile { get; init; } = ProfileNames.Mesh;

    /// <summary>The profile rule by rule; null for a built-in one.</summary>
    public ProfileDeclaration? Declared { get; init; }

    /// <summary>True when the profile chooses by predicted cost, so that it can bind late.</summary>
    public bool ChoosesByCost => Declared is null ? Profile == ProfileNames.Mesh : RuleCatalog.Find(RuleKind.Picker, Declared.Picker.Name)?.PredictsCosts == true;

    /// <summary>
    /// Late binding: a request waits in the pool until its endpoint has less than this much prompt work outstanding, 0–10 s; null binds at
    /// once. Only for cost profiles.
    /// </summary>
    public TimeSpan? BindAhead { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Time per output token that streams should keep to, above 0.</summary>
    public TimeSpan TimePerOutputTokenTarget { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Step times that predictions start from, before anything is learned of an endpoint.</summary>
    public StepTimeTable StepTimes { get; init; } = H100Llama8B.Table;
}
