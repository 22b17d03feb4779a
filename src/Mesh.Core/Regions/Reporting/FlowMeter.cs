using System.Collections.Immutable;
using Mesh.Core.Regions.Reports;
using Mesh.Core.Routing;

namespace Mesh.Core.Regions.Reporting;

/// <summary>Requests per second of each flow that are placed in this region, whoever sent them: a mean over about a second. Bounded; of more flows the newest go uncounted.</summary>
internal sealed class FlowMeter
{
    /// <summary>Flows that a report tells of: those that get most.</summary>
    public const int Most = 16;
    private const int MostCounted = 1024;
    private const double LeastPerSecond = 0.2;
    private readonly Dictionary<uint, double> _amounts = new(MostCounted);
    private readonly List<uint> _faded = [];
    private readonly List<FlowUsage> _usage = [];
    private TimeSpan? _readAt;

    /// <summary>A request was placed here.</summary>
    public void Count(in RouteRequest request)
    {
        var flow = FlowUsage.Of(in request);
        if (_amounts.TryGetValue(flow, out var amount)) _amounts[flow] = amount + 1;
        else if (_amounts.Count < MostCounted) _amounts.Add(flow, 1);
    }

    /// <summary>The flows that get most, ordered by hash.</summary>
    public ImmutableArray<FlowUsage> Read(TimeSpan now)
    {
        // The sum of what is left of each request by now, fading within a second, is the rate.
        var left = _readAt is { } before ? Faded(Math.Max(0, (now - before).TotalSeconds)) : 1;
        _readAt = now;
        _usage.Clear();
        _faded.Clear();
        foreach (var (flow, amount) in _amounts)
        {
            if (amount * left < LeastPerSecond) _faded.Add(flow);
            else _usage.Add(new FlowUsage(flow, (float)(amount * left)));
        }

        foreach (var flow in _faded) _amounts.Remove(flow);
        foreach (var usage in _usage) _amounts[usage.Flow] = usage.PerSecond;
        _usage.Sort(static (a, b) => b.PerSecond.CompareTo(a.PerSecond) is var order && order != 0 ? order : a.Flow.CompareTo(b.Flow));
        if (_usage.Count > Most) _usage.RemoveRange(Most, _usage.Count - Most);
        _usage.Sort(static (a, b) => a.Flow.CompareTo(b.Flow));
        return [.. _usage];
    }

    // e to the −x, by multiplications alone: the library's may differ in its last digit from machine to machine.
    private static double Faded(double x)
    {
        const int Squarings = 10;
        if (x > 30) return 0;
        var part = x / (1 << Squarings);
        var left = 1 - part * (1 - part / 2 * (1 - part / 3));
        for (var i = 0; i < Squarings; i++) left *= left;
        return left;
    }
}
