namespace Mesh.Simulation.Traces;

/// <summary>Changes how fast a trace comes.</summary>
internal static class TraceScale
{
    /// <summary>Mean requests per second from the first row to the last.</summary>
    /// <exception cref="ArgumentException">Fewer than two rows, or all at one time.</exception>
    public static double RateOf(List<TraceRequest> rows)
    {
        var spanMs = rows.Count < 2 ? 0 : rows[^1].ArrivalMs - rows[0].ArrivalMs;
        if (!(spanMs > 0)) throw new ArgumentException("A trace without a span of time has no rate to scale.", nameof(rows));
        return (rows.Count - 1) * 1000.0 / spanMs;
    }

    /// <summary>The same rows <paramref name="factor"/> times as fast, beginning at 0.</summary>
    public static IEnumerable<TraceRequest> Speed(IEnumerable<TraceRequest> rows, double factor)
    {
        if (!(factor > 0 && double.IsFinite(factor))) throw new ArgumentOutOfRangeException(nameof(factor), factor, "A speed is above 0.");
        return Scaled(rows, factor);
    }

    private static IEnumerable<TraceRequest> Scaled(IEnumerable<TraceRequest> rows, double factor)
    {
        var firstMs = double.NaN;
        foreach (var row in rows)
        {
            if (double.IsNaN(firstMs)) firstMs = row.ArrivalMs;
            yield return row with { ArrivalMs = (row.ArrivalMs - firstMs) / factor };
        }
    }
}
