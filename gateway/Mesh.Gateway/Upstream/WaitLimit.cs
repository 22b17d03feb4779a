namespace Mesh.Gateway.Upstream;

/// <summary>Ends a wait by the caller's token or after a time, and knows by which. One wait at a time; nothing is armed in between.</summary>
internal sealed class WaitLimit(TimeSpan limit)
{
    // Never disposed: what waits may look at the token a moment later, and disarmed it owns nothing.
    private readonly CancellationTokenSource _source = new();
    private CancellationTokenRegistration _caller;

    /// <summary>Null for a limit of zero, which is none.</summary>
    public static WaitLimit? Of(TimeSpan limit) => limit > TimeSpan.Zero ? new WaitLimit(limit) : null;

    /// <summary>Cancelled when an armed wait must end.</summary>
    public CancellationToken Token => _source.Token;

    /// <summary>True when the time ran out.</summary>
    public bool RanOut(CancellationToken caller) => _source.IsCancellationRequested && !caller.IsCancellationRequested;

    /// <summary>The wait begins.</summary>
    public void Arm(CancellationToken caller)
    {
        _caller = caller.UnsafeRegister(static s => ((CancellationTokenSource)s!).Cancel(), _source);
        _source.CancelAfter(limit);
    }

    /// <summary>The wait is over.</summary>
    public void Disarm()
    {
        _caller.Dispose();
        _source.CancelAfter(Timeout.InfiniteTimeSpan);
    }
}
