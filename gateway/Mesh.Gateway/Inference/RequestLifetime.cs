namespace Mesh.Gateway.Inference;

/// <summary>
/// Ends one request early, for one of three reasons that are never mixed up: the client left, the time ran out, the gateway stops. The
/// first one counts. Beside them, one attempt at one endpoint can be ended; the request then goes on with a fresh token.
/// </summary>
internal sealed class RequestLifetime : IDisposable
{
    // What a timer takes at most; time-outs of the manifests may be longer.
    private static readonly TimeSpan MaxDelay = TimeSpan.FromDays(49);

    private readonly TimeProvider _time;
    private long _started;
    private CancellationTokenRegistration _clientGone;
    private CancellationTokenRegistration _stopping;
    private CancellationTokenSource _source = new();
    private ITimer? _timer;
    private ITimer? _attemptTimer;
    private ITimer? _drainTimer;
    // Ticks of the time that the request has; 0 without a limit.
    private long _limitTicks;
    // Number of the attempt and, in the low byte, the reason: what ends an attempt can never hit the one after it.
    private long _state;

    /// <param name="clientGone">Cancelled when the client's connection ends.</param>
    /// <param name="stopping">Cancelled when the time given to open requests at shutdown is over.</param>
    /// <param name="time">Clock.</param>
    public RequestLifetime(CancellationToken clientGone, CancellationToken stopping, TimeProvider time)
    {
        _time = time;
        Begin(clientGone, stopping);
    }

    /// <summary>Begins anew with another request, after <see cref="TryRecycle"/>.</summary>
    public void Begin(CancellationToken clientGone, CancellationToken stopping)
    {
        Volatile.Write(ref _started, _time.GetTimestamp());
        _clientGone = clientGone.UnsafeRegister(static s => ((RequestLifetime)s!).End(EndReason.ClientGone), this);
        _stopping = stopping.UnsafeRegister(static s => ((RequestLifetime)s!).End(EndReason.Shutdown), this);
    }

    /// <summary>Cancelled when the request must end.</summary>
    public CancellationToken Token => Volatile.Read(ref _source).Token;

    /// <summary>Why it must end; <see cref="EndReason.None"/> while it need not.</summary>
    public EndReason Reason => ReasonOf(Volatile.Read(ref _state));

    /// <summary>Number of the attempt under way; rises also from one request to the next, so that what was meant for an old one hits no other.</summary>
    public long Attempt => Volatile.Read(ref _state) >> 8;

    /// <summary>Since the request began.</summary>
    public TimeSpan Elapsed => _time.GetElapsedTime(Volatile.Read(ref _started));

    /// <summary>Time that the request has left; null without a limit.</summary>
    public TimeSpan? TimeLeft => Volatile.Read(ref _limitTicks) is > 0 and var limit ? TimeSpan.FromTicks(limit) - Elapsed : null;

    /// <summary>Limits the whole request, the time until now included. Called at most once.</summary>
    public void SetTimeout(TimeSpan timeout)
    {
        var left = timeout - Elapsed;
        if (left <= TimeSpan.Zero)
        {
            End(EndReason.Timeout);
            return;
        }

        if (left > MaxDelay) left = MaxDelay;
        Volatile.Write(ref _limitTicks, timeout.Ticks);
        if (_timer is null) _timer = _time.CreateTimer(static s => ((RequestLifetime)s!).OnTimer(), this, left, Timeout.InfiniteTimeSpan);
        else _timer.Change(left, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The request is over. True when the lifetime can serve another one; false when it has been disposed, because something had ended it.</summary>
    public bool TryRecycle()
    {
        EndAttempt();
        // Waits for what runs at this moment: nobody ends the next request with this one's reason.
        _clientGone.Dispose();
        _stopping.Dispose();
        Volatile.Write(ref _limitTicks, 0);
        if (Reason == EndReason.None && _source.TryReset() && _timer?.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan) != false) return true;
        _timer?.Dispose();
        return false;
    }

    /// <summary>Begins an attempt: what ended the one before is forgotten, what ends the request is not.</summary>
    public void BeginAttempt()
    {
        while (true)
        {
            var seen = Volatile.Read(ref _state);
            if (IsFinal(ReasonOf(seen)))
            {
                _source.Cancel();
                return;
            }

            if (ReasonOf(seen) != EndReason.None) Volatile.Write(ref _source, new CancellationTokenSource());
            if (Interlocked.CompareExchange(ref _state, ((seen >> 8) + 1) << 8, seen) == seen) break;
        }
    }

    /// <summary>Limits the attempt from now on; null and zero set no limit.</summary>
    public void LimitAttempt(TimeSpan? timeout)
    {
        if (timeout is { } limit && limit > TimeSpan.Zero) _attemptTimer = TimerFor(EndReason.AttemptTimeout, limit);
    }

    /// <summary>The attempt is over: its time runs out no more.</summary>
    public void EndAttempt()
    {
        _attemptTimer?.Dispose();
        _drainTimer?.Dispose();
        _attemptTimer = _drainTimer = null;
    }

    /// <summary>Ends an attempt, unless it is over or has been ended. Any thread.</summary>
    public void Interrupt(long attempt, EndReason reason)
    {
        // Read before the state: the source of a later attempt must not be hit.
        var source = Volatile.Read(ref _source);
        if (Interlocked.CompareExchange(ref _state, (attempt << 8) | (long)reason, attempt << 8) == attempt << 8) source.Cancel();
    }

    /// <summary>Ends the attempt under way after a while. The caller makes sure that it is not ended meanwhile.</summary>
    public void DrainAfter(TimeSpan delay) => _drainTimer ??= TimerFor(EndReason.EndpointDraining, delay);

    public void Dispose()
    {
        // The source is not disposed: a timer or a client that fires at this very moment may still cancel it, and it owns nothing.
        _timer?.Dispose();
        EndAttempt();
        _clientGone.Dispose();
        _stopping.Dispose();
    }

    private void OnTimer()
    {
        // A call that was on its way when the request before ended finds no limit, or one that has not been reached.
        var limit = Volatile.Read(ref _limitTicks);
        if (limit == 0) return;
        var left = TimeSpan.FromTicks(limit) - Elapsed;
        if (left <= TimeSpan.Zero) End(EndReason.Timeout);
        else _timer?.Change(left < TimeSpan.FromMilliseconds(1) ? TimeSpan.FromMilliseconds(1) : left < MaxDelay ? left : MaxDelay, Timeout.InfiniteTimeSpan);
    }

    private static EndReason ReasonOf(long state) => (EndReason)(state & 0xff);

    private static bool IsFinal(EndReason reason) => reason is EndReason.ClientGone or EndReason.Timeout or EndReason.Shutdown;

    private ITimer TimerFor(EndReason reason, TimeSpan delay)
    {
        var end = new AttemptEnd(this, Attempt, reason);
        return _time.CreateTimer(static s => ((AttemptEnd)s!).Fire(), end, delay < MaxDelay ? delay : MaxDelay, Timeout.InfiniteTimeSpan);
    }

    private void End(EndReason reason)
    {
        while (true)
        {
            var seen = Volatile.Read(ref _state);
            if (IsFinal(ReasonOf(seen))) return;
            if (Interlocked.CompareExchange(ref _state, (seen & ~0xffL) | (long)reason, seen) == seen) break;
        }

        Volatile.Read(ref _source).Cancel();
    }

    private sealed class AttemptEnd(RequestLifetime lifetime, long attempt, EndReason reason)
    {
        public void Fire() => lifetime.Interrupt(attempt, reason);
    }
}

/// <summary>Why a request ended before its answer was complete.</summary>
internal enum EndReason
{
    /// <summary>It did not.</summary>
    None,

    /// <summary>The client left.</summary>
    ClientGone,

    /// <summary>The time for the whole request ran out.</summary>
    Timeout,

    /// <summary>The gateway stops.</summary>
    Shutdown,

    /// <summary>The attempt took longer than the rule's <c>timeouts.backendRequest</c>.</summary>
    AttemptTimeout,

    /// <summary>The configuration has dropped the endpoint, which had not begun to answer.</summary>
    EndpointRemoved,

    /// <summary>The configuration has dropped the endpoint, and the time to finish is over.</summary>
    EndpointDraining,

    /// <summary>The peer region that had not begun to answer cannot be reached any more.</summary>
    PeerUnreachable,
}
