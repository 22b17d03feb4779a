using Mesh.Core.Metrics;

namespace Mesh.Core.Endpoints;

/// <summary>What an endpoint has told of its load, on its metrics page and beside answers, put together figure by figure: of each the newest value holds.</summary>
internal struct EndpointReadings
{
    private long _sampleTimestamp;

    // When the last page was read; what a report alone made is none. Null before the first.
    private long? _pageTimestamp;
    private double _kvUtilization;
    private double _waitingRequests;

    /// <summary>The page read last, and what reports have told over it; null before anything is known.</summary>
    public EndpointSample? Last { get; private set; }

    /// <summary>What it told beside an answer, last; null when it never has.</summary>
    public EndpointReport? LastReport { get; private set; }

    /// <summary>Timestamp from which the last sample ages.</summary>
    public long AgesFrom { get; private set; }

    /// <summary>Takes a sample that ages as if it had been read at <paramref name="agesFrom"/>; false when it is older than the last.</summary>
    public bool Take(EndpointSample sample, long agesFrom)
    {
        if (_pageTimestamp is { } last && sample.Timestamp < last) return false;
        _pageTimestamp = sample.Timestamp;
        Set(sample, agesFrom);
        return true;
    }

    /// <summary>
    /// As above, with what reports have told: a newer report's figures hold, an older one's fill what the sample does not tell while they count. A sample that was on
    /// its way for so long that it counts no more leaves a report that does alone.
    /// </summary>
    public bool Take(EndpointSample sample, long agesFrom, SampleFreshness freshness)
    {
        if (LastReport is not { } report || !freshness.IsFresh(report.Timestamp)) return Take(sample, agesFrom);
        if (report.Timestamp <= sample.Timestamp) return Take(report.Under(sample), agesFrom);
        if (freshness.IsFresh(agesFrom)) return Take(report.Over(sample), agesFrom);
        if (_pageTimestamp is { } last && sample.Timestamp < last) return false;
        _pageTimestamp = sample.Timestamp;
        Set(report.Alone(sample), report.Timestamp);
        return true;
    }

    /// <summary>Takes a report: over the last sample while that counts, alone where none does; false when it is older than the last report.</summary>
    public bool Take(in EndpointReport report, SampleFreshness freshness)
    {
        if (LastReport is { } last && report.Timestamp < last.Timestamp) return false;
        LastReport = report;
        if (Last is not { } sample || _pageTimestamp is null || !freshness.IsFresh(AgesFrom)) Set(report.Alone(Last), report.Timestamp);
        else Set(report.Timestamp < _sampleTimestamp ? report.Under(sample) : report.Over(sample), AgesFrom);
        return true;
    }

    /// <summary>The last sample while it counts by its own time, whatever it ages from; null when it does not.</summary>
    public readonly EndpointSample? FreshSample(SampleFreshness freshness) => Last is not null && freshness.IsFresh(_sampleTimestamp) ? Last : null;

    /// <summary>Share of KV-cache blocks in use, 0–1; NaN when unknown or stale.</summary>
    public readonly double KvUtilization(SampleFreshness freshness) => IsFresh(freshness) ? _kvUtilization : double.NaN;

    /// <summary>Requests in the engine's own queue; NaN when unknown or stale.</summary>
    public readonly double WaitingRequests(SampleFreshness freshness) => IsFresh(freshness) ? _waitingRequests : double.NaN;

    /// <summary>Requests in the engine's running batch; NaN when unknown or stale.</summary>
    public readonly double RunningRequests(SampleFreshness freshness) => IsFresh(freshness) && Last!.RunningRequests is { } running ? running : double.NaN;

    private readonly bool IsFresh(SampleFreshness freshness) => Last is not null && freshness.IsFresh(AgesFrom);

    private void Set(EndpointSample sample, long agesFrom)
    {
        Last = sample;
        _sampleTimestamp = sample.Timestamp;
        AgesFrom = agesFrom;
        _kvUtilization = sample.KvUtilizationRatio ?? double.NaN;
        _waitingRequests = sample.WaitingRequests ?? double.NaN;
    }
}
