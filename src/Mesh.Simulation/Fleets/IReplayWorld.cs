using Mesh.Simulation.Reports;
using Mesh.Simulation.Traces;

namespace Mesh.Simulation.Fleets;

/// <summary>Something that a trace is played through, afresh each time: a fleet with policies, or equal endpoints. Thread-safe: it keeps nothing.</summary>
internal interface IReplayWorld
{
    /// <summary>Endpoints in all.</summary>
    int Endpoints { get; }

    /// <summary>Plays a trace once.</summary>
    /// <param name="run">What is played.</param>
    /// <param name="rows">The trace, in order of time.</param>
    /// <param name="cancellationToken">Ends the run early with an exception.</param>
    /// <exception cref="ArgumentException">No router has that name.</exception>
    (RunTrack Track, RunTracker Tracker) Play(ReplayRun run, IEnumerable<TraceRequest> rows, CancellationToken cancellationToken);

    /// <summary>The same world with another seed.</summary>
    IReplayWorld WithSeed(ulong seed);
}

/// <summary>One run.</summary>
/// <param name="Router">Name of the router.</param>
/// <param name="Load">How the load was asked for.</param>
/// <param name="Slo">What makes a request count as good.</param>
/// <param name="OnProgress">Is told how many requests have ended, now and then.</param>
internal sealed record ReplayRun(string Router, string Load, SloTarget Slo, Action<int>? OnProgress = null)
{
    /// <summary>Requests that arrive before this time are played but not counted. 0 or more.</summary>
    public TimeSpan WarmUp { get; init; }
}
