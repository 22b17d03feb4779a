using Mesh.Core.Regions.Reports;

namespace Mesh.Core.Regions.Links;

/// <summary>
/// One peer as its reports make it known: fresh, suspect after a few intervals of silence, unreachable after many, and back with hysteresis. Age is judged by
/// the own clock at receipt alone, so that clocks need not agree. A peer that is heard but says that it does not hear us has a dead half of its link and stays
/// suspect. Reports out of order, and those of an earlier start of the peer, are passed over. Not thread-safe; without timers: <see cref="State"/> is
/// computed from the clock whenever it is asked for.
/// </summary>
public sealed class PeerLink
{
    private readonly TimeProvider _time;
    private readonly int _reportsToReturn;
    private readonly long _suspectTicks;
    private readonly long _unreachableTicks;
    private readonly TimeSpan _suspectAfter;
    private long _instance;
    private long _sequence;
    private long _heardAt;
    private int _inARow;
    private bool _heard;
    private bool _returned;
    private bool _unheard;
    private bool _lost;

    /// <summary>Starts unreachable.</summary>
    /// <param name="region">The peer.</param>
    /// <param name="time">The host's clock.</param>
    /// <param name="options">Durations.</param>
    public PeerLink(string region, TimeProvider time, RegionOptions options)
    {
        ArgumentException.ThrowIfNullOrEmpty(region);
        ArgumentNullException.ThrowIfNull(time);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        Region = region;
        _time = time;
        _reportsToReturn = options.ReportsToReturn;
        _suspectAfter = options.ReportInterval * options.SuspectAfterIntervals;
        _suspectTicks = Ticks(_suspectAfter);
        _unreachableTicks = Ticks(options.ReportInterval * options.UnreachableAfterIntervals);
    }

    /// <summary>The peer.</summary>
    public string Region { get; }

    /// <summary>Start of the peer that was heard last; 0 before the first report.</summary>
    public long Instance => _instance;

    /// <summary>How far it can be relied upon now.</summary>
    public PeerLinkState State => StateAt(_time.GetTimestamp());

    /// <summary>Time since its last report was received; null before the first.</summary>
    public TimeSpan? Age => _heard ? _time.GetElapsedTime(_heardAt) : null;

    /// <summary>When the state changes if nothing is heard; null when time alone changes nothing.</summary>
    public TimeSpan? NextChange
    {
        get
        {
            var now = _time.GetTimestamp();
            if (!_heard || _heardAt + _unreachableTicks < now) return null;
            var at = _heardAt + _suspectTicks < now ? _heardAt + _unreachableTicks : _heardAt + _suspectTicks;
            return _time.GetElapsedTime(now, at + 1);
        }
    }

    /// <summary>A report has come. False when it is passed over: out of order, or of an earlier start of the peer.</summary>
    public bool Hear(RegionReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        return Hear(report.Instance, report.Sequence, report.HeardAge);
    }

    /// <summary>As <see cref="Hear(RegionReport)"/>, for a sign of life that comes without one.</summary>
    /// <param name="instance">Start of the peer.</param>
    /// <param name="sequence">Number of the report.</param>
    /// <param name="heardAge">How long ago the peer has heard of us; null when never.</param>
    public bool Hear(long instance, long sequence, TimeSpan? heardAge)
    {
        if (_heard && (instance < _instance || (instance == _instance && sequence <= _sequence))) return false;
        var now = _time.GetTimestamp();
        var before = StateAt(now);
        // A restart is a new beginning: what was granted before does not hold.
        var goesOn = _heard && instance == _instance && now - _heardAt <= _suspectTicks && !_lost;
        _inARow = goesOn ? _inARow + 1 : 1;
        // Back from suspicion with one report, from the dead with several; once back it stays so until it is unreachable again.
        _returned = before != PeerLinkState.Unreachable || _inARow >= _reportsToReturn;
        (_instance, _sequence, _heardAt, _heard, _lost) = (instance, sequence, now, true, false);
        _unheard = heardAge is null || heardAge > _suspectAfter;
        return true;
    }

    /// <summary>The connection that brings the reports has broken: no new requests until the next report.</summary>
    public void Lose() => _lost = true;

    private PeerLinkState StateAt(long now)
    {
        if (!_heard || !_returned) return PeerLinkState.Unreachable;
        var silent = now - _heardAt;
        if (silent > _unreachableTicks) return PeerLinkState.Unreachable;
        return _lost || _unheard || silent > _suspectTicks ? PeerLinkState.Suspect : PeerLinkState.Fresh;
    }

    private long Ticks(TimeSpan duration) => (long)(duration.TotalSeconds * _time.TimestampFrequency);
}
