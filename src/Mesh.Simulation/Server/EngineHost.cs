using Mesh.Simulation.KvEvents;
using Mesh.Simulation.Model;

namespace Mesh.Simulation.Server;

/// <summary>
/// Lets an engine live in real time. One timer per server wakes at the end of the step under way; an idle engine has no timer, no thread and
/// no task. Timers are exact to about a millisecond, so steps end at their planned virtual time, however late the wake-up: what is due is
/// completed in one go and the average rate is exact. Thread-safe.
/// </summary>
internal sealed class EngineHost : ISequenceSink, IDisposable
{
    /// <summary>Steps completed in one go at most, so that a simulation faster than this machine still lets requests in.</summary>
    private const int MaxStepsPerWake = 1000;

    private readonly Lock _gate = new();
    private readonly VllmEngine _engine;
    private readonly KvEventRecorder? _recorder;
    private readonly TimeProvider _time;
    private readonly double _speed;
    private readonly int _maxQueued;
    private readonly long _start;
    private readonly ITimer _timer;
    private long _rejections;
    private bool _disposed;

    public EngineHost(VllmModelOptions model, TimeProvider time, double speed, int maxQueued, KvEventRecorder? recorder = null)
    {
        _engine = new VllmEngine(model);
        _recorder = recorder;
        _engine.Pool.Observer = recorder;
        _time = time;
        _speed = speed;
        _maxQueued = maxQueued;
        _start = time.GetTimestamp();
        _timer = time.CreateTimer(static host => ((EngineHost)host!).Wake(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    bool ISequenceSink.WantsEveryToken => true;

    public int Running
    {
        get
        {
            lock (_gate) return _engine.Running;
        }
    }

    public int Waiting
    {
        get
        {
            lock (_gate) return _engine.Waiting;
        }
    }

    /// <summary>Requests refused because the queue was full.</summary>
    public long Rejections => Interlocked.Read(ref _rejections);

    /// <summary>Queues all sequences of a request, or none and says false when the queue is full.</summary>
    public bool TrySubmit(Generation generation, IReadOnlyList<VllmRequest> requests)
    {
        lock (_gate)
        {
            if (_disposed) return false;
            var now = VirtualNowMs();
            Advance(now);
            // The whole request is refused, so that a client never gets half of its answers.
            if (_engine.Waiting > 0 && _engine.Waiting + requests.Count > _maxQueued)
            {
                Interlocked.Increment(ref _rejections);
                return false;
            }

            // An engine that lags behind the clock must not see arrivals from its future.
            var arrival = _engine.IsStepping ? Math.Min(now, _engine.StepEndMs) : now;
            for (var i = 0; i < requests.Count; i++)
            {
                var answer = generation.Answers[i];
                answer.Handle = _engine.Add(requests[i] with { Tag = answer }, arrival);
            }

            if (!_engine.IsStepping) Plan(now);
            Arm(now);
            return true;
        }
    }

    /// <summary>Gives up every sequence of a request that has not ended.</summary>
    public void Abort(Generation generation)
    {
        lock (_gate)
        {
            Advance(VirtualNowMs());
            foreach (var answer in generation.Answers)
            {
                if (!answer.Finished) _engine.Abort(answer.Handle);
            }
        }
    }

    /// <summary>Empties the prefix cache, and tells so, unless requests use it.</summary>
    public bool ResetPrefixCache()
    {
        lock (_gate)
        {
            Advance(VirtualNowMs());
            var isCleared = _engine.Pool.TryClear();
            _recorder?.Publish();
            return isCleared;
        }
    }

    /// <summary>Looks at the engine while nobody steps it.</summary>
    public void Read<TState>(TState state, Action<VllmEngine, TState> reader)
    {
        lock (_gate) reader(_engine, state);
    }

    public void Dispose()
    {
        lock (_gate) _disposed = true;
        _timer.Dispose();
    }

    void ISequenceSink.OnFirstToken(in SequenceProgress progress) => Tell(progress);

    void ISequenceSink.OnToken(in SequenceProgress progress) => Tell(progress);

    void ISequenceSink.OnFinished(in SequenceProgress progress, FinishReason reason)
    {
        var answer = (Answer)progress.Tag!;
        answer.Finish(reason);
        answer.Generation.FinishOne();
        answer.Generation.Ring();
    }

    private static void Tell(in SequenceProgress progress)
    {
        var answer = (Answer)progress.Tag!;
        answer.Progress(progress);
        if (answer.Generation.Streams) answer.Generation.Ring();
    }

    private void Wake()
    {
        lock (_gate)
        {
            if (_disposed) return;
            var now = VirtualNowMs();
            Advance(now);
            Arm(now);
        }
    }

    private void Advance(double now)
    {
        for (var steps = 0; steps < MaxStepsPerWake && _engine.IsStepping && _engine.StepEndMs <= now; steps++)
        {
            _engine.CompleteStep(this);
            // Steps follow each other without a gap, at their planned times.
            Plan(_engine.NowMs);
        }
    }

    // What planning did to the cache is one batch of events, as vLLM's scheduler makes one of each step.
    private void Plan(double now)
    {
        _engine.PlanStep(now);
        _recorder?.Publish();
    }

    private void Arm(double now)
    {
        if (!_engine.IsStepping) return;
        var realMs = (_engine.StepEndMs - now) / _speed;
        // Rounded up: waking early would only mean to wait again.
        _timer.Change(TimeSpan.FromMilliseconds(realMs <= 0 ? 0 : Math.Ceiling(realMs)), Timeout.InfiniteTimeSpan);
    }

    private double VirtualNowMs() => _time.GetElapsedTime(_start).TotalMilliseconds * _speed;
}
