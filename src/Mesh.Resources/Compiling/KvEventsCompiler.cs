using System.Globalization;
using Mesh.Core.Config;
using Mesh.Resources.Reading;
using Mesh.Resources.Types;

namespace Mesh.Resources.Compiling;

/// <summary>Cache events of a pool: what its KvEventsPolicy says, and the defaults for the rest; without a policy none are followed.</summary>
internal static class KvEventsCompiler
{
    public static KvEventsConfig Compile(KvEventsPolicy? policy)
    {
        if (policy is null) return KvEventsConfig.None;
        var builtIn = KvEventsConfig.None;
        return new KvEventsConfig
        {
            Enabled = policy.Enabled?.Value ?? true,
            Port = policy.Port?.Value ?? builtIn.Port,
            ReplayPort = policy.ReplayPort?.Value,
            Topic = policy.Topic?.Value ?? builtIn.Topic,
            Ranks = policy.Ranks?.Value ?? builtIn.Ranks,
            OffloadWeight = policy.OffloadWeight?.Value ?? builtIn.OffloadWeight,
        };
    }

    /// <summary>Each setting as a person would write it, with the place of its field; nothing without a policy.</summary>
    public static IEnumerable<(string Name, string Value, Spot? At)> Describe(KvEventsConfig config, KvEventsPolicy? policy)
    {
        if (policy is null) yield break;
        yield return ("kvEvents.enabled", config.Enabled ? "true" : "false", policy.Enabled?.At);
        if (!config.Enabled) yield break;
        yield return ("kvEvents.port", Number(config.Port), policy.Port?.At);
        yield return ("kvEvents.replayPort", config.ReplayPort is { } replay ? Number(replay) : "none", policy.ReplayPort?.At);
        yield return ("kvEvents.topic", config.Topic.Length == 0 ? "all" : config.Topic, policy.Topic?.At);
        yield return ("kvEvents.ranks", Number(config.Ranks), policy.Ranks?.At);
        yield return ("kvEvents.offloadWeight", Number(config.OffloadWeight), policy.OffloadWeight?.At);
    }

    private static string Number(double value) => value.ToString(CultureInfo.InvariantCulture);
}
