namespace Mesh.Simulation.Fleets;

/// <summary>
/// Requests in flight per endpoint over time, as means of equal spans. The spans double when there would be more of them than
/// <see cref="MostSpans"/>, so that a run of any length takes the same room.
/// </summary>
internal sealed class LoadMap(int endpoints)
{
    /// <summary>Spans at most.</summary>
    public const int MostSpans = 192;

    private readonly double[] _busyMs = new double[endpoints * MostSpans];
    private double _endMs;

    /// <summary>Length of one span in ms.</summary>
    public double SpanMs { get; private set; } = 250;

    /// <summary>Spans in use.</summary>
    public int Spans => Math.Min(MostSpans, (int)(_endMs / SpanMs) + (_endMs % SpanMs > 0 ? 1 : 0));

    /// <summary>An endpoint had one request more from one moment to another.</summary>
    public void Add(int endpoint, double fromMs, double toMs)
    {
        while (toMs > SpanMs * MostSpans) Double();
        _endMs = Math.Max(_endMs, toMs);
        var row = endpoint * MostSpans;
        for (var i = (int)(fromMs / SpanMs); i < MostSpans && i * SpanMs < toMs; i++)
            _busyMs[row + i] += Math.Min(toMs, (i + 1) * SpanMs) - Math.Max(fromMs, i * SpanMs);
    }

    /// <summary>Mean requests in flight of an endpoint in each span.</summary>
    public double[] Row(int endpoint)
    {
        var row = new double[Spans];
        for (var i = 0; i < row.Length; i++) row[i] = _busyMs[(endpoint * MostSpans) + i] / Math.Min(SpanMs, _endMs - (i * SpanMs));
        return row;
    }

    private void Double()
    {
        for (var row = 0; row < _busyMs.Length; row += MostSpans)
        {
            for (var i = 0; i < MostSpans / 2; i++) _busyMs[row + i] = _busyMs[row + (2 * i)] + _busyMs[row + (2 * i) + 1];
            Array.Clear(_busyMs, row + (MostSpans / 2), MostSpans / 2);
        }

        SpanMs *= 2;
    }
}
