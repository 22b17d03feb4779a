using Mesh.Simulation.Traces;
using Mesh.Simulation.World;

namespace Mesh.Simulation.Reports;

/// <summary>
/// The rate that a fleet can take: the highest at which least-request keeps a stable queue. In a queue that does not keep up the wait for
/// the first token grows with every second by the share of work that is too much; it counts as stable while the line fitted through all
/// waits after the first tenth of the trace rises by less than 20 ms per second. Found by bisection to 1%.
/// </summary>
internal static class Saturation
{
    private const string Reference = "least-request";
    private const double Precision = 1.01;
    private const double WarmUpShare = 0.1;
    private const double MostGrowth = 0.02;
    private const double MostSearchFactor = 1e6;

    /// <summary>Requests per second over the whole trace.</summary>
    public static double Find(WorldOptions options, ITraceSource trace, CancellationToken cancellationToken)
    {
        var native = trace.NativeRate;
        var high = native;
        while (IsStable(options, trace, high, cancellationToken))
        {
            high *= 2;
            if (high > native * MostSearchFactor) throw new ArgumentException("No rate saturates this fleet: the trace is too short.", nameof(trace));
        }

        var low = high / 2;
        while (!IsStable(options, trace, low, cancellationToken))
        {
            (low, high) = (low / 2, low);
            if (low < native / MostSearchFactor) throw new ArgumentException("This fleet serves the trace at no rate.", nameof(trace));
        }

        while (high / low > Precision)
        {
            var middle = (low + high) / 2;
            if (IsStable(options, trace, middle, cancellationToken)) low = middle;
            else high = middle;
        }

        return low;
    }

    /// <summary>Growth of the wait for the first token, in ms per ms, at a rate.</summary>
    internal static double Growth(WorldOptions options, ITraceSource trace, double rate, CancellationToken cancellationToken)
    {
        var (_, recorder) = Replay.Record(options, Reference, trace.At(rate), new SloTarget(), cancellationToken);
        var fromMs = WarmUpShare * recorder.LastArrivalMs;
        var (count, meanX, meanY, xx, xy) = (0, 0.0, 0.0, 0.0, 0.0);
        foreach (var (arrivedMs, ttftMs) in recorder.FirstTokens)
        {
            if (arrivedMs < fromMs) continue;
            count++;
            var dx = arrivedMs - meanX;
            meanX += dx / count;
            meanY += (ttftMs - meanY) / count;
            xx += dx * (arrivedMs - meanX);
            xy += dx * (ttftMs - meanY);
        }

        return xx == 0 ? 0 : xy / xx;
    }

    private static bool IsStable(WorldOptions options, ITraceSource trace, double rate, CancellationToken cancellationToken) =>
        Growth(options, trace, rate, cancellationToken) < MostGrowth;
}
