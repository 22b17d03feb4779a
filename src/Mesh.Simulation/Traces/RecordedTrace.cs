namespace Mesh.Simulation.Traces;

/// <summary>A trace that was recorded: another rate makes its time run faster or slower.</summary>
internal sealed class RecordedTrace : ITraceSource
{
    private readonly List<TraceRequest> _rows;

    /// <summary>Takes the rows.</summary>
    /// <exception cref="ArgumentException">Fewer than two rows, or all at one time.</exception>
    public RecordedTrace(List<TraceRequest> rows)
    {
        var spanMs = rows.Count < 2 ? 0 : rows[^1].ArrivalMs - rows[0].ArrivalMs;
        if (!(spanMs > 0)) throw new ArgumentException(rows.Count < 2 ? $"A trace needs two rows at least to have a rate; this one has {rows.Count}." : $"All {rows.Count} rows of the trace come at one time: there is no rate to scale.");
        _rows = rows;
        NativeRate = (rows.Count - 1) * 1000.0 / spanMs;
    }

    public double NativeRate { get; }

    public IEnumerable<TraceRequest> At(double requestsPerSecond)
    {
        if (!(requestsPerSecond > 0 && double.IsFinite(requestsPerSecond)))
            throw new ArgumentOutOfRangeException(nameof(requestsPerSecond), requestsPerSecond, "A rate is above 0.");
        return Scaled(NativeRate / requestsPerSecond);
    }

    private IEnumerable<TraceRequest> Scaled(double stretch)
    {
        var firstMs = _rows[0].ArrivalMs;
        foreach (var row in _rows) yield return row with { ArrivalMs = (row.ArrivalMs - firstMs) * stretch };
    }
}
