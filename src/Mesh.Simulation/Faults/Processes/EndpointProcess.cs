using System.Collections.Immutable;
using Mesh.Core.Endpoints;
using Mesh.Simulation.Model;

namespace Mesh.Simulation.Faults.Processes;

/// <summary>
/// One model server: the engine model on a clock of its own, which runs slowly or stands still when the machine does, and a process around
/// it that dies, starts, sleeps, and refuses.
/// </summary>
internal sealed class EndpointProcess(Timeline time, Journal journal, int number, int region, int queueLimit) : ISequenceSink
{
    private const int StatusFailed = 500;
    private const int StatusUnavailable = 503;

    private static readonly VllmModelOptions EngineOptions = new() { NumGpuBlocks = 600, MaxModelLen = 4096, MaxNumSeqs = 16 };
    private readonly Dictionary<Attempt, SequenceHandle> _running = [];
    private readonly Queue<Action> _held = new();
    private VllmEngine _engine = new(EngineOptions);
    private int _runVersion;
    private double _ownMs;
    private double _sinceMs;
    private double _rate = 1;

    public int Number => number;

    public int Region => region;

    public EndpointId Id { get; } = new($"10.{region}.0.{number}:8000");

    public bool IsUp { get; private set; } = true;

    /// <summary>True while the process does nothing at all.</summary>
    public bool IsHung => _rate == 0;

    public bool IsAsleep { get; private set; }

    /// <summary>Models that it lists; default when it does not tell.</summary>
    public ImmutableArray<string> Models { get; set; }

    /// <summary>Answers 500 while above 0.</summary>
    public int Erring { get; set; }

    /// <summary>Answers 503 while above 0.</summary>
    public int Full { get; set; }

    /// <summary>Metrics faults in force, by kind.</summary>
    public int MetricsMissing { get; set; }

    public int MetricsLate { get; set; }

    public int MetricsPartial { get; set; }

    /// <summary>Start of the process, in virtual seconds.</summary>
    public double StartedAt { get; private set; }

    public int Running => _engine.Running;

    public int Waiting => _engine.Waiting;

    public double KvUtilizationRatio => _engine.KvUtilizationRatio;

    public bool WantsEveryToken => false;

    private double OwnNowMs => _ownMs + ((time.NowMs - _sinceMs) * _rate);

    /// <summary>A message comes in; a process that hangs reads it later.</summary>
    public void Receive(Action message)
    {
        if (IsHung && IsUp) _held.Enqueue(message);
        else message();
    }

    /// <summary>A request comes in.</summary>
    public void Accept(Attempt attempt)
    {
        if (!IsUp)
        {
            attempt.Down.Send(() => Reset(attempt));
            return;
        }

        attempt.IsConnected = true;
        if (Full > 0 || IsAsleep || _engine.Waiting >= queueLimit) attempt.Down.Send(() => Status(attempt, StatusUnavailable));
        else if (Erring > 0) attempt.Down.Send(() => Status(attempt, StatusFailed));
        else
        {
            Cut();
            var request = attempt.Request;
            _running[attempt] = _engine.Add(
                new VllmRequest { PromptTokens = request.PromptTokens, OutputTokens = request.OutputTokens, EndsWith = FinishReason.Stop, BlockHashes = request.Blocks, Tag = attempt },
                OwnNowMs);
            Go();
        }
    }

    /// <summary>The gateway has closed the connection.</summary>
    public void Abort(Attempt attempt)
    {
        if (!_running.Remove(attempt, out var handle)) return;
        Cut();
        _engine.Abort(handle);
    }

    /// <summary>The process dies: every connection is reset.</summary>
    public void Crash()
    {
        if (!IsUp) return;
        IsUp = false;
        Drop();
        // Connections that nobody had accepted yet are reset, too.
        while (_held.TryDequeue(out var message)) message();
    }

    /// <summary>The process starts.</summary>
    public void Start()
    {
        if (IsUp) return;
        IsUp = true;
        IsAsleep = false;
        StartedAt = time.NowMs / 1000;
    }

    /// <summary>Sleeps or wakes, in both cases with an empty cache; what ran is broken off.</summary>
    public void Sleep(bool asleep)
    {
        if (!IsUp || IsAsleep == asleep) return;
        IsAsleep = asleep;
        Drop();
    }

    /// <summary>How fast its clock runs, 0 to stand still.</summary>
    public void SetRate(double rate)
    {
        (_ownMs, _sinceMs) = (OwnNowMs, time.NowMs);
        _rate = rate;
        _runVersion++;
        if (_engine.IsStepping) Schedule();
        while (!IsHung && _held.TryDequeue(out var message)) message();
    }

    void ISequenceSink.OnFirstToken(in SequenceProgress progress)
    {
        var attempt = (Attempt)progress.Tag!;
        if (attempt.Request.IsStreaming) attempt.Down.Send(() => attempt.Gateway?.OnFirstByte(attempt));
    }

    void ISequenceSink.OnToken(in SequenceProgress progress)
    {
    }

    void ISequenceSink.OnFinished(in SequenceProgress progress, FinishReason reason)
    {
        var attempt = (Attempt)progress.Tag!;
        _running.Remove(attempt);
        var (cached, output) = (progress.CachedTokens, progress.GeneratedTokens);
        attempt.Down.Send(() => attempt.Gateway?.OnLastByte(attempt, cached, output));
    }

    private static void Reset(Attempt attempt) => attempt.Gateway?.OnReset(attempt);

    private static void Status(Attempt attempt, int status) => attempt.Gateway?.OnStatus(attempt, status);

    private void Drop()
    {
        journal.Note($"{Id} drops {_running.Count} requests");
        foreach (var attempt in _running.Keys.OrderBy(a => a.Request.Number).ThenBy(a => a.Request.Attempts)) attempt.Down.Send(() => Reset(attempt));
        _running.Clear();
        _engine = new VllmEngine(EngineOptions);
        _runVersion++;
    }

    private void Cut()
    {
        if (!_engine.CutRun(OwnNowMs)) return;
        _runVersion++;
        Schedule();
    }

    private void Go()
    {
        if (_engine.IsStepping || _engine.PlanRun(OwnNowMs).IsIdle) return;
        _runVersion++;
        Schedule();
    }

    private void Schedule()
    {
        if (IsHung) return;
        var version = _runVersion;
        time.At(_sinceMs + ((_engine.StepEndMs - _ownMs) / _rate), () =>
        {
            if (version != _runVersion) return;
            _engine.CompleteStep(this);
            Go();
        });
    }
}
