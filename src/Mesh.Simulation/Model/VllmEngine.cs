namespace Mesh.Simulation.Model;

/// <summary>
/// One simulated vLLM engine: continuous batching with chunked prefill, paged KV blocks, prefix caching, preemption by recomputation and
/// adapter slots. Pure and synchronous, without a clock of its own: the host says what time it is and lets the planned time pass, on a wall
/// clock or on a virtual one. The same calls give the same events and times, to the bit. Not thread-safe.
/// <code>
/// engine.Add(request, nowMs);
/// while (!(plan = engine.PlanStep(nowMs)).IsIdle) { nowMs += plan.DurationMs; engine.CompleteStep(sink); }
/// </code>
/// </summary>
public sealed class VllmEngine
{
    private readonly VllmModelOptions _options;
    private readonly StepScheduler _scheduler;
    private readonly DecodeRun _run;
    private readonly List<Sequence> _sequences = [];
    private readonly Stack<int> _unused = new();
    private StepPlan _plan;
    private bool _completing;

    /// <summary>Starts an empty engine at time 0.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public VllmEngine(VllmModelOptions options)
    {
        options.Validate();
        _options = options;
        Metrics = new EngineMetrics(options.MaxModelLen);
        _scheduler = new StepScheduler(options, Metrics);
        _run = new DecodeRun(options, _scheduler, Metrics);
    }

    /// <summary>Sizes that it was started with.</summary>
    public VllmModelOptions Options => _options;

    /// <summary>Counters and histograms since the start.</summary>
    public EngineMetrics Metrics { get; }

    /// <summary>Virtual time of the last call, in ms; while a step is under way, the time of its beginning.</summary>
    public double NowMs { get; private set; }

    /// <summary>Virtual time at which the step under way ends; NaN when none is.</summary>
    public double StepEndMs { get; private set; } = double.NaN;

    /// <summary>Whether a step is planned and not completed.</summary>
    public bool IsStepping => !_plan.IsIdle;

    /// <summary>Sequences in the running set.</summary>
    public int Running => _scheduler.Running.Count;

    /// <summary>Sequences in the queue, preempted ones included.</summary>
    public int Waiting => _scheduler.Waiting.Count;

    /// <summary>Waiting sequences that the last plan passed over for want of an adapter slot.</summary>
    public int WaitingForLora => Math.Min(_scheduler.Deferred, Waiting);

    /// <summary>Blocks referenced by running sequences.</summary>
    public int BlocksInUse => _scheduler.Blocks.InUse;

    /// <summary>Blocks that can be had now, cached ones without references included.</summary>
    public int BlocksFree => _scheduler.Blocks.Free;

    /// <summary>Blocks that a prompt can find by hash.</summary>
    public int BlocksCached => _scheduler.Blocks.Cached;

    /// <summary>Cached blocks given up so far because their space was needed.</summary>
    public long BlockEvictions => _scheduler.Blocks.Evictions;

    /// <summary>Share of blocks in use, 0–1.</summary>
    public double KvUtilizationRatio => (double)_scheduler.Blocks.InUse / _scheduler.Blocks.Total;

    /// <summary>Virtual time at which the very step under way ends, which may be the first of a run; NaN when none is.</summary>
    internal double CurrentStepEndMs => IsStepping && _run.Steps > 1 ? _run.FirstEndMs(NowMs) : StepEndMs;

    // For a forecast that knows everything; nothing in it may be changed from outside.
    internal StepScheduler Scheduler => _scheduler;

    internal BlockPool Pool => _scheduler.Blocks;

    /// <summary>Queues a sequence. It is considered from the next plan on.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A prompt or answer without tokens, a prompt that leaves no room for an answer, or a negative adapter.</exception>
    public SequenceHandle Add(in VllmRequest request, double nowMs)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(request.PromptTokens, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(request.OutputTokens, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(request.PromptTokens, _options.MaxModelLen);
        ArgumentOutOfRangeException.ThrowIfNegative(request.LoraId);
        var sequence = Rent();
        var room = _options.MaxModelLen - request.PromptTokens;
        // Arrivals during a step carry their own time, so that their queue time is exact.
        sequence.Begin(request, Math.Min(request.OutputTokens, room), Math.Max(nowMs, NowMs));
        _scheduler.Enqueue(sequence);
        return sequence.Handle;
    }

    /// <summary>Gives a sequence up and frees its blocks at once. False when it has already ended.</summary>
    /// <exception cref="InvalidOperationException">Called from inside <see cref="CompleteStep"/>.</exception>
    public bool Abort(SequenceHandle handle)
    {
        if (_completing) throw new InvalidOperationException("A sequence cannot be aborted while a step completes.");
        if ((uint)handle.Slot >= (uint)_sequences.Count) return false;
        var sequence = _sequences[handle.Slot];
        if (sequence.Version != handle.Version || sequence.State == SequenceState.Unused) return false;
        _scheduler.Remove(sequence);
        Metrics.Ended(sequence, FinishReason.Abort, NowMs);
        Return(sequence);
        return true;
    }

    /// <summary>Decides the next step, beginning at <paramref name="nowMs"/>, and says how long it takes; an idle plan starts nothing.</summary>
    /// <exception cref="InvalidOperationException">A step is under way.</exception>
    public StepPlan PlanStep(double nowMs)
    {
        if (IsStepping) throw new InvalidOperationException("The step under way must be completed first.");
        if (nowMs > NowMs) NowMs = nowMs;
        _plan = _scheduler.Plan(NowMs);
        StepEndMs = _plan.IsIdle ? double.NaN : NowMs + _plan.DurationMs;
        return _plan;
    }

    /// <summary>
    /// As <see cref="PlanStep"/>, but plans as many decode steps at once as will be alike, up to <see cref="StepEndMs"/>. For hosts that can
    /// do without the tokens in between: they complete all with one <see cref="CompleteStep"/>, and call <see cref="CutRun"/> before
    /// they add or abort a sequence meanwhile. The outcome is the same, to the bit, as step by step.
    /// </summary>
    /// <exception cref="InvalidOperationException">A step is under way.</exception>
    public StepPlan PlanRun(double nowMs)
    {
        if (!PlanStep(nowMs).IsIdle) StepEndMs = _run.Extend(in _plan, NowMs);
        return _plan;
    }

    /// <summary>Completes those steps of a run that have ended by <paramref name="nowMs"/>, so that blocks and counters are up to date.</summary>
    public void CatchUp(double nowMs)
    {
        if (IsStepping && _run.Steps > 1) NowMs = _run.CompleteUntil(nowMs, NowMs);
    }

    /// <summary>Ends a run with the step under way at <paramref name="nowMs"/>, and says whether <see cref="StepEndMs"/> has changed for that.</summary>
    public bool CutRun(double nowMs)
    {
        CatchUp(nowMs);
        if (!IsStepping || _run.Steps <= 1) return false;
        StepEndMs = _run.Cut(NowMs);
        return true;
    }

    /// <summary>Ends the step under way at its planned time and reports its tokens.</summary>
    /// <exception cref="InvalidOperationException">No step is under way.</exception>
    public void CompleteStep(ISequenceSink sink)
    {
        if (!IsStepping) throw new InvalidOperationException("No step is under way.");
        if (_run.Steps > 1)
        {
            if (sink.WantsEveryToken) throw new InvalidOperationException("A run of steps does not report every token.");
            _run.CompleteUntil(double.PositiveInfinity, NowMs);
        }

        _run.End();
        NowMs = StepEndMs;
        StepEndMs = double.NaN;
        var prefillTokens = _plan.PrefillTokens;
        _plan = default;
        _completing = true;
        var newTokens = 0;
        try
        {
            newTokens = Advance(sink);
        }
        finally
        {
            _completing = false;
        }

        Metrics.Steps++;
        Metrics.GenerationTokens += newTokens;
        Metrics.IterationTokens.Observe(prefillTokens + newTokens);
    }

    /// <summary>Adds the adapters with running (or waiting) sequences to <paramref name="into"/>, in order of their number.</summary>
    public void ListLoras(List<int> into, bool waiting) => _scheduler.Loras.List(into, waiting);

    private int Advance(ISequenceSink sink)
    {
        var running = _scheduler.Running;
        var everyToken = sink.WantsEveryToken;
        var newTokens = 0;
        var kept = 0;
        var gapMs = 0.0;
        var gaps = 0;
        for (var i = 0; i < running.Count; i++)
        {
            var sequence = running[i];
            running[kept++] = sequence;
            if (sequence.Scheduled == 0) continue;
            sequence.Computed += sequence.Scheduled;
            sequence.Scheduled = 0;
            if (sequence.Computed < sequence.TotalTokens) continue;

            newTokens++;
            if (++sequence.Generated == 1)
            {
                sequence.FirstTokenMs = NowMs;
                Metrics.FirstToken(sequence, NowMs);
                sink.OnFirstToken(Progress(sequence));
            }
            else
            {
                // Most sequences of a batch waited equally long for their token: count equal gaps together.
                var gap = NowMs - sequence.LastTokenMs;
                if (gap != gapMs && gaps > 0)
                {
                    Metrics.InterTokenLatency.Observe(gapMs / 1000, gaps);
                    gaps = 0;
                }

                gapMs = gap;
                gaps++;
                if (everyToken) sink.OnToken(Progress(sequence));
            }

            sequence.LastTokenMs = NowMs;
            if (sequence.Generated < sequence.OutputTokens) continue;
            kept--;
            Finish(sequence, sink);
        }

        running.RemoveRange(kept, running.Count - kept);
        if (gaps > 0) Metrics.InterTokenLatency.Observe(gapMs / 1000, gaps);
        return newTokens;
    }

    private void Finish(Sequence sequence, ISequenceSink sink)
    {
        // An answer cut by the maximum length ends for its length, whatever it would have ended with.
        var reason = sequence.OutputTokens < sequence.Request.OutputTokens ? FinishReason.Length : sequence.Request.EndsWith;
        _scheduler.Release(sequence);
        Metrics.Ended(sequence, reason, NowMs);
        var progress = Progress(sequence);
        Return(sequence);
        sink.OnFinished(progress, reason);
    }

    private SequenceProgress Progress(Sequence sequence) =>
        new(sequence.Handle, sequence.Request.Tag, sequence.Generated, sequence.CachedTokens, NowMs);

    private Sequence Rent()
    {
        if (_unused.TryPop(out var slot)) return _sequences[slot];
        var sequence = new Sequence(_sequences.Count);
        _sequences.Add(sequence);
        return sequence;
    }

    private void Return(Sequence sequence)
    {
        sequence.End();
        _unused.Push(sequence.Slot);
    }
}
