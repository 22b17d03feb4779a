using System.Collections.Immutable;
using Mesh.Core.Routing;
using Mesh.Core.Snapshots;

namespace Mesh.Scenarios;

/// <summary>What happened to one request at one time.</summary>
/// <param name="At">Time since the start.</param>
/// <param name="Number">The request's number, in order of arrival.</param>
/// <param name="Kind">What happened.</param>
/// <param name="Endpoint">Where, for placements and ends.</param>
/// <param name="Reason">Why, for decisions.</param>
/// <param name="RetryAfter">For refusals.</param>
/// <param name="Stream">Index of the request's stream of arrivals.</param>
public readonly record struct TraceEntry(
    TimeSpan At, int Number, TraceKind Kind, string Endpoint, DecisionReason Reason, TimeSpan RetryAfter, int Stream)
{
    public string Cluster => Endpoint.Length == 0 ? "" : Endpoint[..Endpoint.LastIndexOf('-')];

    public override string ToString() =>
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{At.TotalMilliseconds:F3} #{Number} {Kind} {Endpoint} {Reason} {RetryAfter.TotalSeconds}");
}

/// <summary>Kind of an entry of the trace.</summary>
public enum TraceKind
{
    Arrive,
    Wait,
    Send,
    Refuse,
    Leave,
    End,
}

/// <summary>A played scenario.</summary>
public sealed record ScenarioResult(Scenario Scenario, ImmutableArray<TraceEntry> Trace, PoolSnapshot Last)
{
    private TimeSpan From => TimeSpan.FromSeconds(Scenario.WarmUpSeconds);

    private double MeasuredSeconds => Scenario.DurationSeconds - Scenario.WarmUpSeconds;

    /// <summary>Requests placed there per second after the warm-up.</summary>
    public double PlacedPerSecond(string cluster, double? from = null, double? until = null)
    {
        var start = from is { } f ? TimeSpan.FromSeconds(f) : From;
        var end = TimeSpan.FromSeconds(until ?? Scenario.DurationSeconds);
        return Trace.Count(t => t.Kind == TraceKind.Send && t.Cluster == cluster && t.At >= start && t.At < end) / (end - start).TotalSeconds;
    }

    /// <summary>Mean number of requests, of all streams or of one, that ran there after the warm-up.</summary>
    public double MeanRunning(string cluster, int? stream = null)
    {
        var running = 0;
        var last = From;
        var area = 0.0;
        foreach (var entry in Trace)
        {
            if (entry.Cluster != cluster || entry.Kind is not (TraceKind.Send or TraceKind.End) || (stream is { } one && entry.Stream != one)) continue;
            if (entry.At > last)
            {
                area += running * (entry.At - last).TotalSeconds;
                last = entry.At;
            }
            running += entry.Kind == TraceKind.Send ? 1 : -1;
        }
        area += running * (TimeSpan.FromSeconds(Scenario.DurationSeconds) - last).TotalSeconds;
        return area / MeasuredSeconds;
    }

    /// <summary>Most requests that ran there at a time.</summary>
    public int MostRunning(string cluster)
    {
        var (running, most) = (0, 0);
        foreach (var entry in Trace)
        {
            if (entry.Cluster != cluster || entry.Kind is not (TraceKind.Send or TraceKind.End)) continue;
            running += entry.Kind == TraceKind.Send ? 1 : -1;
            most = Math.Max(most, running);
        }
        return most;
    }

    /// <summary>Time of the first placement there at or after a time; null when there was none.</summary>
    public TimeSpan? FirstSent(string cluster, double fromSeconds = 0)
    {
        foreach (var entry in Trace)
        {
            if (entry.Kind == TraceKind.Send && entry.Cluster == cluster && entry.At.TotalSeconds >= fromSeconds) return entry.At;
        }
        return null;
    }

    public int Count(TraceKind kind, DecisionReason? reason = null) => Trace.Count(t => t.Kind == kind && (reason is null || t.Reason == reason));
}
