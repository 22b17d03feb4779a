namespace Mesh.Engine.Monitoring;

/// <summary>A pause that can be cut short from another thread. One waiter at a time. A wake-up that comes while nobody waits ends the next pause at once.</summary>
internal sealed class WakeableDelay : IDisposable
{
    private readonly Lock _gate = new();
    private readonly ITimer _timer;
    private TaskCompletionSource<bool>? _waiting;
    private bool _woken;

    public WakeableDelay(TimeProvider time) =>
        _timer = time.CreateTimer(static me => ((WakeableDelay)me!).Complete(woken: false), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

    /// <summary>Waits; true when woken before the time was over.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task<bool> WaitAsync(TimeSpan delay, CancellationToken cancellationToken)
    {
        Task<bool> waiting;
        lock (_gate)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (_woken)
            {
                _woken = false;
                return true;
            }

            _waiting = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
            waiting = _waiting.Task;
            // Timers count whole milliseconds and forget the rest: rounding up keeps a pause from ending early and starting over.
            _timer.Change(TimeSpan.FromMilliseconds(Math.Ceiling(delay.TotalMilliseconds)), Timeout.InfiniteTimeSpan);
        }

        await using var cancelled = cancellationToken.UnsafeRegister(static me => ((WakeableDelay)me!).Cancel(), this).ConfigureAwait(false);
        return await waiting.ConfigureAwait(false);
    }

    /// <summary>Ends the pause.</summary>
    public void Wake() => Complete(woken: true);

    public void Dispose() => _timer.Dispose();

    private void Complete(bool woken)
    {
        lock (_gate)
        {
            if (_waiting is { } waiting)
            {
                _waiting = null;
                waiting.TrySetResult(woken);
            }
            else if (woken)
            {
                _woken = true;
            }
        }
    }

    private void Cancel()
    {
        lock (_gate)
        {
            _waiting?.TrySetCanceled();
            _waiting = null;
        }
    }
}
