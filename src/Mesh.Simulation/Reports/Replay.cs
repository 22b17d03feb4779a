using Mesh.Simulation.Baselines;
using Mesh.Simulation.Traces;
using Mesh.Simulation.World;

namespace Mesh.Simulation.Reports;

/// <summary>Runs a trace through a fresh world.</summary>
internal static class Replay
{
    /// <summary>Plays <paramref name="trace"/> and returns the figures.</summary>
    /// <exception cref="ArgumentException">No router has that name.</exception>
    public static RunReport Run(WorldOptions options, string router, IEnumerable<TraceRequest> trace, SloTarget slo, CancellationToken cancellationToken) =>
        Record(options, router, trace, slo, cancellationToken).Report;

    /// <summary>As <see cref="Run"/>, with the figures of every request.</summary>
    public static (RunReport Report, RunRecorder Recorder) Record(
        WorldOptions options, string router, IEnumerable<TraceRequest> trace, SloTarget slo, CancellationToken cancellationToken)
    {
        var recorder = new RunRecorder(slo);
        var world = new DiscreteWorld(
            options,
            region => RouterCatalog.Make(router, BlockHash.Mix(options.Seed + (ulong)region + 1)) ?? throw new ArgumentException($"No router is named {router}.", nameof(router)),
            recorder);
        world.Run(trace, cancellationToken);
        return (recorder.Build(router, world), recorder);
    }
}
