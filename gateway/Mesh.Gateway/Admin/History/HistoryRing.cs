using System.Collections.Immutable;

namespace Mesh.Gateway.Admin.History;

/// <summary>The last values of the series of one backend. For callers that take turns.</summary>
internal sealed class HistoryRing
{
    /// <summary>Steps that are kept: a quarter of an hour.</summary>
    public const int Length = 180;

    private readonly float[][] _series = [.. Enumerable.Range(0, Enum.GetValues<Measure>().Length).Select(_ => Empty())];

    /// <summary>Step of the last value; -1 before the first.</summary>
    public long Last { get; private set; } = -1;

    /// <summary>Writes the values of a step; steps between it and the last one are not known.</summary>
    public void Write(long step, ReadOnlySpan<double?> values)
    {
        for (var between = Math.Max(Last + 1, step - Length + 1); between < step; between++)
        {
            foreach (var series in _series) series[between % Length] = float.NaN;
        }

        for (var i = 0; i < _series.Length; i++) _series[i][step % Length] = values[i] is { } value ? (float)value : float.NaN;
        Last = step;
    }

    /// <summary>Values of a series from a step to another one, both included; null where not known.</summary>
    public ImmutableArray<double?> Read(Measure measure, long from, long to)
    {
        var values = ImmutableArray.CreateBuilder<double?>((int)(to - from + 1));
        for (var step = from; step <= to; step++)
        {
            var value = step < 0 || step > Last || step <= Last - Length ? float.NaN : _series[(int)measure][step % Length];
            values.Add(float.IsFinite(value) ? Math.Round(value, 3) : null);
        }

        return values.MoveToImmutable();
    }

    private static float[] Empty()
    {
        var series = new float[Length];
        Array.Fill(series, float.NaN);
        return series;
    }
}

/// <summary>What is kept of a backend.</summary>
internal enum Measure
{
    /// <summary>Requests in flight.</summary>
    InFlightRequests,

    /// <summary>Requests per second.</summary>
    RequestsPerSecond,

    /// <summary>Load over target.</summary>
    Fullness,

    /// <summary>Requests that wait.</summary>
    QueuedRequests,

    /// <summary>Median time to the first token in milliseconds.</summary>
    FirstTokenP50Ms,

    /// <summary>95th percentile of it.</summary>
    FirstTokenP95Ms,

    /// <summary>Median time per output token in milliseconds.</summary>
    OutputTokenP50Ms,

    /// <summary>95th percentile of it.</summary>
    OutputTokenP95Ms,
}
