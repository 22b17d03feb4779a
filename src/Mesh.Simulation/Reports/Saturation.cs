using Mesh.Simulation.Traces;
using Mesh.Simulation.World;

namespace Mesh.Simulation.Reports;

/// <summary>
/// The rate that a fleet can take: the highest at which least-request keeps a stable queue. A queue is stable when the requests of the
/// trace's last third wait for their first token not much longer than those of the middle third: their mean is at most twice as long, or
/// within a second of it. Found by bisection to 1%.
/// </summary>
internal static class Saturation
{
    private const string Reference = "least-request";
    private const double Precision = 1.01;

    /// <summary>Requests per second over the whole trace.</summary>
    public static double Find(WorldOptions options, List<TraceRequest> rows, CancellationToken cancellationToken)
    {
        var native = TraceScale.RateOf(rows);
        var high = native;
        while (IsStable(options, rows, high / native, cancellationToken)) high *= 2;
        var low = high / 2;
        while (!IsStable(options, rows, low / native, cancellationToken)) (low, high) = (low / 2, low);
        while (high / low > Precision)
        {
            var middle = (low + high) / 2;
            if (IsStable(options, rows, middle / native, cancellationToken)) low = middle;
            else high = middle;
        }

        return low;
    }

    internal static bool IsStable(WorldOptions options, List<TraceRequest> rows, double speed, CancellationToken cancellationToken)
    {
        var (_, recorder) = Replay.Record(options, Reference, TraceScale.Speed(rows, speed), new SloTarget(), cancellationToken);
        var spanMs = (rows[^1].ArrivalMs - rows[0].ArrivalMs) / speed;
        var (middle, middles, last, lasts) = (0.0, 0, 0.0, 0);
        foreach (var (arrivedMs, ttftMs) in recorder.FirstTokens)
        {
            if (arrivedMs >= spanMs * 2 / 3)
            {
                last += ttftMs;
                lasts++;
            }
            else if (arrivedMs >= spanMs / 3)
            {
                middle += ttftMs;
                middles++;
            }
        }

        var (middleMean, lastMean) = (middle / Math.Max(1, middles), last / Math.Max(1, lasts));
        return lastMean <= Math.Max(middleMean * 2, middleMean + 1000);
    }
}
