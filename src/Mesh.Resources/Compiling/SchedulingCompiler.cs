using System.Globalization;
using Mesh.Core.Config;
using Mesh.Core.Scheduling;
using Mesh.Resources.Reading;
using Mesh.Resources.Types;

namespace Mesh.Resources.Compiling;

/// <summary>Scheduling of a pool: what its SchedulingProfile says, and the defaults for the rest.</summary>
internal static class SchedulingCompiler
{
    public static SchedulingConfig Compile(SchedulingProfile? profile)
    {
        var builtIn = new SchedulingConfig();
        if (profile is null) return builtIn;
        var late = profile.LateBinding;
        return new SchedulingConfig
        {
            Profile = profile.BuiltIn?.Value ?? builtIn.Profile,
            BindAhead = late switch
            {
                { Enabled.Value: false } => null,
                { BindAheadMs: { } ahead } => TimeSpan.FromMilliseconds(ahead.Value),
                _ => builtIn.BindAhead,
            },
            TimePerOutputTokenTarget = profile.TimePerOutputTokenTargetMs is { } target
                ? TimeSpan.FromMilliseconds(target.Value) : builtIn.TimePerOutputTokenTarget,
            StepTimes = profile.StepTimes?.Value ?? builtIn.StepTimes,
        };
    }

    /// <summary>Each setting as a person would write it, with the place of its field; null where the default holds.</summary>
    public static IEnumerable<(string Name, string Value, Spot? At)> Describe(SchedulingConfig config, SchedulingProfile? profile)
    {
        yield return ("scheduling.builtIn", config.Profile, profile?.BuiltIn?.At);

        // Only cost profiles bind late; of the others it would be said in vain.
        if (config.Profile == ProfileNames.Mesh)
        {
            var late = profile?.LateBinding;
            yield return (
                "scheduling.lateBinding",
                config.BindAhead is { } ahead ? $"on, {Milliseconds(ahead)} ahead" : "off", late?.BindAheadMs?.At ?? late?.Enabled?.At);
        }

        yield return (
            "scheduling.timePerOutputTokenTargetMs", Milliseconds(config.TimePerOutputTokenTarget),
            profile?.TimePerOutputTokenTargetMs?.At);
        yield return ("scheduling.stepTimes", StepTimesReader.Title(config.StepTimes), profile?.StepTimes?.At);
    }

    private static string Milliseconds(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds} ms");
}
