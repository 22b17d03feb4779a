using Mesh.Core.Routing;

namespace Mesh.Engine;

/// <summary>
/// One pool's state, its lock, and what every change of it is followed by: those who wait hear what was decided, outside the lock, because a caller goes on at once.
/// Thread-safe where it takes the lock itself.
/// </summary>
internal sealed class LockedPool(PoolState state, Action wake)
{
    /// <summary>Guards <see cref="State"/> and <see cref="Waiting"/>.</summary>
    public Lock Gate { get; } = new();

    public PoolState State { get; } = state;

    public WaitingRoutes Waiting { get; } = new(state);

    /// <summary>Whom to tell when peers should hear of the pool sooner; null without peers. Under the lock.</summary>
    public Action? ReportSooner { get; set; }

    /// <summary>What to call outside the lock when peers should hear of the pool sooner than it said; null when not. Under the lock.</summary>
    public Action? Sooner => State.NeedsReportSooner ? ReportSooner : null;

    /// <summary>Changes the state; requests that wait may be decided by it.</summary>
    public void Change<T>(T with, Action<PoolState, T> change)
    {
        Answers answers;
        lock (Gate)
        {
            change(State, with);
            answers = Waiting.Collect();
        }

        Finish(answers);
    }

    /// <inheritdoc cref="Change{T}(T, Action{PoolState, T})"/>
    public TResult Change<T, TResult>(T with, Func<PoolState, T, TResult> change)
    {
        TResult result;
        Answers answers;
        lock (Gate)
        {
            result = change(State, with);
            answers = Waiting.Collect();
        }

        Finish(answers);
        return result;
    }

    /// <summary>What follows a change, outside the lock.</summary>
    public void Finish(Answers answers)
    {
        answers.Deliver();
        if (answers.NeedsTick) wake();
    }
}
