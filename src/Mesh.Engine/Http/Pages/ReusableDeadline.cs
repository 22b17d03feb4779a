namespace Mesh.Engine.Http.Pages;

/// <summary>A <see cref="Deadline"/> that is used again and again by one caller at a time, without allocations as long as it is not reached.</summary>
internal sealed class ReusableDeadline(TimeProvider time) : IDisposable
{
    private CancellationTokenSource _source = new(Timeout.InfiniteTimeSpan, time);
    private CancellationTokenRegistration _outer;

    /// <summary>Begins anew; the token is cancelled with the caller's or after a time-out, whichever is first.</summary>
    public CancellationToken Begin(TimeSpan after, CancellationToken cancellationToken)
    {
        _source.CancelAfter(after);
        _outer = cancellationToken.UnsafeRegister(static me => ((ReusableDeadline)me!)._source.Cancel(), this);
        return _source.Token;
    }

    /// <summary>Ends what <see cref="Begin"/> began.</summary>
    public void End()
    {
        // Waits for a callback that is running: after that nobody cancels the source but its own timer.
        _outer.Dispose();
        if (_source.TryReset()) return;
        _source.Dispose();
        _source = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
    }

    public void Dispose()
    {
        _outer.Dispose();
        _source.Dispose();
    }
}
