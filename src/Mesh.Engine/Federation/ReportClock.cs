namespace Mesh.Engine.Federation;

/// <summary>
/// When reports are due: at every interval, and soon after a wake-up. One timer for all peers, whose work runs on the timer's own call: ten times a
/// second, every hand-over from one thread to another costs more than what is handed over. Thread-safe; no two calls overlap.
/// </summary>
internal sealed class ReportClock : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly TimeSpan _interval;
    private readonly TimeSpan _least;
    private readonly Action<TimeSpan> _due;
    private readonly ITimer _timer;
    private long _last;
    private bool _busy;
    private bool _soon;
    private bool _ended;

    /// <summary>Makes a clock that stands; <see cref="Start"/> sets it going.</summary>
    /// <param name="time">Clock.</param>
    /// <param name="interval">Time between two calls.</param>
    /// <param name="least">Least time between two calls, however often it is woken.</param>
    /// <param name="due">Called when reports are due, with the time since the call before; does not throw and returns soon.</param>
    public ReportClock(TimeProvider time, TimeSpan interval, TimeSpan least, Action<TimeSpan> due)
    {
        (_time, _interval, _least, _due) = (time, interval, least, due);
        _last = time.GetTimestamp();
        _timer = time.CreateTimer(static me => ((ReportClock)me!).Ring(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Begins.</summary>
    public void Start()
    {
        lock (_gate)
        {
            _last = _time.GetTimestamp();
            Arm();
        }
    }

    /// <summary>Reports are due as soon as they may be. Returns at once; from any thread, as often as one likes.</summary>
    public void Wake()
    {
        lock (_gate)
        {
            if (_soon) return;
            _soon = true;
            Arm();
        }
    }

    /// <summary>Ends; a call that is under way is waited for.</summary>
    public ValueTask DisposeAsync()
    {
        lock (_gate) _ended = true;
        return _timer.DisposeAsync();
    }

    private void Ring()
    {
        TimeSpan passed;
        lock (_gate)
        {
            if (_busy || _ended) return;
            (_busy, _soon) = (true, false);
            passed = _time.GetElapsedTime(_last);
            _last = _time.GetTimestamp();
        }

        try
        {
            _due(passed);
        }
        finally
        {
            lock (_gate)
            {
                _busy = false;
                Arm();
            }
        }
    }

    private void Arm()
    {
        if (_busy || _ended) return;
        var left = (_soon ? _least : _interval) - _time.GetElapsedTime(_last);
        // Timers count whole milliseconds and forget the rest.
        _timer.Change(left > TimeSpan.Zero ? TimeSpan.FromMilliseconds(Math.Ceiling(left.TotalMilliseconds)) : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }
}
