namespace Mesh.Simulation.Reports;

/// <summary>
/// The rate that a fleet can take: the highest at which least-request keeps a stable queue. In a queue that does not keep up the wait for
/// the first token grows with every second by the share of work that is too much; it counts as stable while the line fitted through all
/// waits after the first tenth of the trace rises by less than 20 ms per second. Found by bisection to 1%.
/// </summary>
internal static class Saturation
{
    private const double Precision = 1.01;
    private const double RoughPrecision = 1.05;
    private const double RoughStep = 1.2;
    private const double WarmUpShare = 0.1;
    private const double MostGrowth = 0.02;
    private const double MostSearchFactor = 1e6;

    /// <summary>Requests per second over the whole trace.</summary>
    /// <param name="native">Rate at which the search begins.</param>
    /// <param name="growthAt">Growth of the wait for the first token at a rate, in ms per ms.</param>
    /// <param name="roughGrowthAt">The same, quicker and rougher, from a part of the trace: it says where to look. Null for none.</param>
    /// <exception cref="ArgumentException">No rate saturates the fleet, or none is served.</exception>
    public static double Find(double native, Func<double, double> growthAt, Func<double, double>? roughGrowthAt = null)
    {
        var step = 2.0;
        var from = native;
        if (roughGrowthAt is not null)
        {
            from = Between(native, step, RoughPrecision, roughGrowthAt);
            step = RoughStep;
        }

        return Between(from, step, Precision, growthAt);
    }

    private static double Between(double from, double step, double precision, Func<double, double> growthAt)
    {
        var high = from;
        while (IsStable(high))
        {
            high *= step;
            if (high > from * MostSearchFactor) throw new ArgumentException("No rate saturates this fleet: the trace is too short.", nameof(from));
        }

        var low = high / step;
        // What was stable on the way up need not be asked again.
        while (low < from && !IsStable(low))
        {
            (low, high) = (low / step, low);
            if (low < from / MostSearchFactor) throw new ArgumentException("This fleet serves the trace at no rate.", nameof(from));
        }

        while (high / low > precision)
        {
            var middle = (low + high) / 2;
            if (IsStable(middle)) low = middle;
            else high = middle;
        }

        return low;

        bool IsStable(double rate) => growthAt(rate) < MostGrowth;
    }

    /// <summary>Growth of the wait for the first token, in ms per ms, in a run.</summary>
    /// <param name="firstTokens">Arrival and wait of every request served.</param>
    /// <param name="lastArrivalMs">Arrival of the last request.</param>
    internal static double Growth(IReadOnlyList<(double ArrivedMs, double TtftMs)> firstTokens, double lastArrivalMs)
    {
        var fromMs = WarmUpShare * lastArrivalMs;
        var (count, meanX, meanY, xx, xy) = (0, 0.0, 0.0, 0.0, 0.0);
        foreach (var (arrivedMs, ttftMs) in firstTokens)
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
}
