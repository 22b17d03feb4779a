using Mesh.Core.Scheduling;
using Mesh.Core.StepTimes;

namespace Mesh.Core.Config;

/// <summary>How the endpoint is chosen inside the backends that policy allows.</summary>
public sealed record SchedulingConfig
{
    /// <summary>Name of the profile; <c>mesh</c> is least predicted cost.</summary>
    public string Profile { get; init; } = ProfileNames.Mesh;

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
