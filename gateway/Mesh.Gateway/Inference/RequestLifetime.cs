namespace Mesh.Gateway.Inference;

/// <summary>
/// Ends one request early, for one of three reasons that are never mixed up: the client left, the time ran out, the gateway stops. The
/// first one counts.
/// </summary>
internal sealed class RequestLifetime : IDisposable
{
    // What a timer takes at most; time-outs of the manifests may be longer.
    private static readonly TimeSpan MaxDelay = TimeSpan.FromDays(49);

    private readonly TimeProvider _time;
    private readonly long _started;
    private readonly CancellationTokenSource _source = new();
    private readonly CancellationTokenRegistration _clientGone;
    private readonly CancellationTokenRegistration _stopping;
    private ITimer? _timer;
    private int _reason;

    /// <param name="clientGone">Cancelled when the client's connection ends.</param>
    /// <param name="stopping">Cancelled when the time given to open requests at shutdown is over.</param>
    /// <param name="time">Clock.</param>
    public RequestLifetime(CancellationToken clientGone, CancellationToken stopping, TimeProvider time)
    {
        _time = time;
        _started = time.GetTimestamp();
        _clientGone = clientGone.UnsafeRegister(static s => ((RequestLifetime)s!).End(EndReason.ClientGone), this);
        _stopping = stopping.UnsafeRegister(static s => ((RequestLifetime)s!).End(EndReason.Shutdown), this);
    }

    /// <summary>Cancelled when the request must end.</summary>
    public CancellationToken Token => _source.Token;

    /// <summary>Why it must end; <see cref="EndReason.None"/> while it need not.</summary>
    public EndReason Reason => (EndReason)Volatile.Read(ref _reason);

    /// <summary>Since the request began.</summary>
    public TimeSpan Elapsed => _time.GetElapsedTime(_started);

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
        _timer = _time.CreateTimer(static s => ((RequestLifetime)s!).End(EndReason.Timeout), this, left, Timeout.InfiniteTimeSpan);
    }

    public void Dispose()
    {
        // The source is not disposed: a timer or a client that fires at this very moment may still cancel it, and it owns nothing.
        _timer?.Dispose();
        _clientGone.Dispose();
        _stopping.Dispose();
    }

    private void End(EndReason reason)
    {
        if (Interlocked.CompareExchange(ref _reason, (int)reason, (int)EndReason.None) == (int)EndReason.None) _source.Cancel();
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
}
