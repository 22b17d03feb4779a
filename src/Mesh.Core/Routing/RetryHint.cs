using Mesh.Core.Config;

namespace Mesh.Core.Routing;

/// <summary>When it makes sense to try again after a refusal.</summary>
internal static class RetryHint
{
    private static readonly TimeSpan Least = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Most = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Endpoints come back with their probes, so the probe interval, 1–10 s; leases end all the time, so 1 s; zero for refusals that do not
    /// pass by themselves.
    /// </summary>
    public static TimeSpan For(DecisionReason reason, HealthCheckConfig check) => reason switch
    {
        DecisionReason.NoReadyEndpoint or DecisionReason.AllAttemptsFailed =>
            check.Interval < Least ? Least : check.Interval > Most ? Most : check.Interval,
        DecisionReason.TooManyLeases or DecisionReason.EngineUnreachable => Least,
        _ => TimeSpan.Zero,
    };
}
