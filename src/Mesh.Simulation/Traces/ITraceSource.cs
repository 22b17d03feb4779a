namespace Mesh.Simulation.Traces;

/// <summary>A workload that can be played at any rate, as often as wanted and the same each time.</summary>
internal interface ITraceSource
{
    /// <summary>Requests per second as recorded, or as described.</summary>
    double NativeRate { get; }

    /// <summary>Rows in order of time, beginning at about 0, at so many requests per second on average.</summary>
    IEnumerable<TraceRequest> At(double requestsPerSecond);
}
