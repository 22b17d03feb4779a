namespace Mesh.Simulation.Model;

/// <summary>
/// Decode steps planned and completed many at a time: while nothing waits, nobody's prompt is computed and nobody's answer ends, each step is
/// like the one before but for contexts that are one token longer. Times, tokens and blocks are the same, to the bit, as step by step.
/// </summary>
internal sealed class DecodeRun(VllmModelOptions options, StepScheduler scheduler, EngineMetrics metrics)
{
    // A run that is interrupted was planned in vain beyond that point.
    private const int MostSteps = 128;

    private readonly int _mask = int.IsPow2(options.BlockSize) ? options.BlockSize - 1 : 0;
    private int _batch;
    private long _context;

    /// <summary>Steps of the run that are not completed, the one under way included.</summary>
    public int Steps { get; private set; }

    /// <summary>Extends a plan that has just been made, if it can be; returns the time at which the last step ends.</summary>
    public double Extend(in StepPlan first, double nowMs)
    {
        var endMs = nowMs + first.DurationMs;
        Steps = 1;
        if (first.PrefillSequences > 0 || scheduler.Waiting.Count > 0 || first.DecodeSequences < scheduler.Running.Count) return endMs;

        _batch = first.DecodeSequences;
        _context = 0;
        var more = MostSteps - 1;
        foreach (var sequence in scheduler.Running)
        {
            _context += sequence.TotalTokens;
            more = Math.Min(more, sequence.OutputTokens - sequence.Generated - 1);
        }

        while (more > 0 && BlocksNeeded(more) > scheduler.Blocks.Free) more /= 2;
        Steps = 1 + more;
        for (var i = 1; i <= more; i++) endMs += StepMs(i);
        return endMs;
    }

    /// <summary>Completes the steps of the run that end by <paramref name="untilMs"/>, but the last; returns the time at which the step under way began.</summary>
    public double CompleteUntil(double untilMs, double beganMs)
    {
        var done = 0;
        var nowMs = beganMs;
        for (; done < Steps - 1; done++)
        {
            var endMs = nowMs + StepMs(done);
            if (endMs > untilMs) break;
            Count(nowMs, endMs, isFirst: done == 0);
            nowMs = endMs;
            ScheduleNext();
        }

        if (done == 0) return beganMs;
        foreach (var sequence in scheduler.Running)
        {
            sequence.Generated += done;
            sequence.LastTokenMs = nowMs;
        }

        _context += (long)done * _batch;
        Steps -= done;
        return nowMs;
    }

    /// <summary>When the step under way ends.</summary>
    public double FirstEndMs(double beganMs) => beganMs + StepMs(0);

    /// <summary>Ends the run with the step under way; returns the time at which that ends.</summary>
    public double Cut(double beganMs)
    {
        Steps = 1;
        return FirstEndMs(beganMs);
    }

    /// <summary>The last step is completed by the engine itself.</summary>
    public void End() => Steps = 0;

    private double StepMs(int ahead) => options.StepTimes.StepMs(0, 0, _batch, _context + ((long)ahead * _batch));

    // Blocks are taken and shared step by step, in the order of the batch: who comes first decides what is evicted and whose copy is found.
    private void ScheduleNext()
    {
        foreach (var sequence in scheduler.Running)
        {
            // Sizes are powers of two nearly always, and a division per sequence and step is what a run costs most.
            var filled = _mask != 0 ? ++sequence.Computed & _mask : ++sequence.Computed % options.BlockSize;
            if (filled == 0 || filled == options.BlockSize - 1) scheduler.ScheduleDecode(sequence);
        }
    }

    private void Count(double beganMs, double endMs, bool isFirst)
    {
        metrics.Steps++;
        metrics.GenerationTokens += _batch;
        metrics.IterationTokens.Observe(_batch);
        if (!isFirst)
        {
            metrics.InterTokenLatency.Observe((endMs - beganMs) / 1000, _batch);
            return;
        }

        // The steps before the run may have left some sequences out.
        foreach (var sequence in scheduler.Running) metrics.InterTokenLatency.Observe((endMs - sequence.LastTokenMs) / 1000);
    }

    private int BlocksNeeded(int more)
    {
        var needed = 0;
        foreach (var sequence in scheduler.Running)
            needed += ((sequence.Computed + 1 + more + options.BlockSize - 1) / options.BlockSize) - sequence.BlockCount;
        return needed;
    }
}
