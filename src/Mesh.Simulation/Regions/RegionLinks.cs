using Mesh.Core.Randomness;

namespace Mesh.Simulation.Regions;

/// <summary>
/// The ways between regions, each direction for itself: how long a message takes, whether it is cut, and how much is lost. Messages ride on connections that
/// send again what was lost, so that loss makes them late; a cut swallows them.
/// </summary>
internal sealed class RegionLinks(RegionWorldOptions options)
{
    private const double ResendMs = 200;
    private readonly Xoshiro256 _random = new(options.Seed ^ 0x11ABCDEF);
    private readonly bool[,] _cut = new bool[options.Regions, options.Regions];
    private readonly double[,] _loss = new double[options.Regions, options.Regions];
    private readonly double[,] _lastReportMs = new double[options.Regions, options.Regions];

    /// <summary>True while nothing gets from one region to another.</summary>
    public bool IsCut(int from, int to) => _cut[from, to];

    /// <summary>Cuts or heals one direction.</summary>
    public void SetCut(int from, int to, bool cut) => _cut[from, to] = cut;

    /// <summary>Share of the messages in one direction that have to be sent again, 0–0.9.</summary>
    public void SetLoss(int from, int to, double share) => _loss[from, to] = share;

    /// <summary>When a message that is sent now arrives; the caller has looked whether the way is cut.</summary>
    public double ArrivalMs(int from, int to, double nowMs)
    {
        var way = options.RoundTripBetween(from, to) / 2;
        var takes = way * (1 + options.Jitter * Next());
        for (var tries = 0; tries < 5 && _loss[from, to] > 0 && Next() < _loss[from, to]; tries++) takes += ResendMs * (1 << tries);
        return nowMs + takes;
    }

    /// <summary>The same for a report: one stream brings them in order.</summary>
    public double ReportArrivalMs(int from, int to, double nowMs)
    {
        ref var last = ref _lastReportMs[from, to];
        last = Math.Max(last, ArrivalMs(from, to, nowMs));
        return last;
    }

    private double Next() => _random.NextDouble();
}
