namespace Mesh.Simulation.Model;

/// <summary>
/// Decides what one step computes, as vLLM's scheduler does: first every running sequence in order of admission, then waiting ones from the
/// head of the queue while tokens, sequences, blocks and adapter slots last. Owns the queues and the cache. Not thread-safe.
/// </summary>
internal sealed class StepScheduler(VllmModelOptions options, EngineMetrics metrics)
{
    private int _budget;
    private int _prefillTokens;
    private int _prefills;
    private int _decodes;
    private long _decodeContext;
    private double _extraMs;

    public List<Sequence> Running { get; } = [];

    public SequenceQueue Waiting { get; } = new();

    public BlockPool Blocks { get; } = new(options.NumGpuBlocks);

    public LoraSlots Loras { get; } = new(options.MaxLoras);

    /// <summary>Waiting sequences passed over in the last plan because no adapter slot was free.</summary>
    public int Deferred { get; private set; }

    public void Enqueue(Sequence sequence)
    {
        Waiting.AddLast(sequence);
        Loras.Wait(sequence.Request.LoraId, 1);
    }

    /// <summary>Takes a sequence out, wherever it is, and returns its blocks.</summary>
    public void Remove(Sequence sequence)
    {
        if (sequence.State == SequenceState.Waiting)
        {
            Waiting.Remove(sequence);
            Loras.Wait(sequence.Request.LoraId, -1);
            return;
        }

        Running.Remove(sequence);
        Release(sequence);
    }

    /// <summary>Returns the blocks and the adapter of a sequence that leaves the running set; the caller takes it out of the list.</summary>
    public void Release(Sequence sequence)
    {
        // Last block first: the tail of a prompt is the least likely to be shared, so it is the first to be given up.
        for (var i = sequence.BlockCount - 1; i >= 0; i--) Blocks.Release(sequence.Blocks[i]);
        sequence.BlockCount = sequence.SharedBlocks = 0;
        Loras.Leave(sequence.Request.LoraId);
    }

    public StepPlan Plan(double nowMs)
    {
        _budget = options.MaxNumBatchedTokens;
        _prefillTokens = _prefills = _decodes = 0;
        _decodeContext = 0;
        _extraMs = 0;
        Deferred = 0;
        // After a preemption nobody is admitted: the freed blocks are for those who already run.
        if (!ScheduleRunning()) Admit(nowMs);
        if (_prefills == 0 && _decodes == 0) return default;
        return new StepPlan(options.StepTimes.StepMs(_prefillTokens, 0, _decodes, _decodeContext) + _extraMs, _prefillTokens, _prefills, _decodes);
    }

    /// <summary>Schedules the next token of a sequence that decodes; the caller has made sure that a block is free if it needs one.</summary>
    public void ScheduleDecode(Sequence sequence)
    {
        if (BlocksFor(sequence.Computed + 1) > sequence.BlockCount) AddBlocks(sequence, BlocksFor(sequence.Computed + 1) - sequence.BlockCount);
        sequence.Scheduled = 1;
        Share(sequence, (sequence.Computed + 1) / options.BlockSize);
    }

    /// <summary>Says whether a sequence was preempted.</summary>
    private bool ScheduleRunning()
    {
        var preempted = false;
        for (var i = 0; i < Running.Count; i++)
        {
            var sequence = Running[i];
            var tokens = Math.Min(sequence.TotalTokens - sequence.Computed, _budget);
            sequence.Scheduled = 0;
            if (tokens == 0) continue;
            var needed = BlocksFor(sequence.Computed + tokens) - sequence.BlockCount;
            while (needed > Blocks.Free)
            {
                preempted = true;
                var last = Running[^1];
                Preempt(last);
                if (last == sequence) return true;
            }

            Schedule(sequence, tokens, needed);
        }

        return preempted;
    }

    private void Admit(double nowMs)
    {
        var sequence = Waiting.First;
        while (sequence is not null && _budget > 0 && Running.Count < options.MaxNumSeqs)
        {
            var next = sequence.Next;
            if (!Loras.HasRoom(sequence.Request.LoraId)) Deferred++;
            else if (!TryAdmit(sequence, nowMs)) return;
            sequence = next;
        }
    }

    private bool TryAdmit(Sequence sequence, double nowMs)
    {
        if (Blocks.Free == 0) return false;
        var hits = FindShared(sequence, out var unreferencedHits);
        var cachedTokens = hits * options.BlockSize;
        var tokens = Math.Min(sequence.TotalTokens - cachedTokens, _budget);
        var needed = BlocksFor(cachedTokens + tokens) - hits;
        // Hits without references are free blocks too, and about to be taken.
        if (needed > Blocks.Free - unreferencedHits) return false;

        for (var i = 0; i < hits; i++) Blocks.Reference(sequence.Blocks[i]);
        sequence.BlockCount = sequence.SharedBlocks = hits;
        sequence.Computed = cachedTokens;
        Waiting.Remove(sequence);
        Running.Add(sequence);
        sequence.State = SequenceState.Running;
        Loras.Wait(sequence.Request.LoraId, -1);
        if (Loras.Enter(sequence.Request.LoraId)) _extraMs += options.LoraLoadMs;
        if (!sequence.Admitted)
        {
            sequence.Admitted = true;
            sequence.AdmittedMs = nowMs;
            sequence.CachedTokens = cachedTokens;
            metrics.PrefixCacheQueries += sequence.Request.PromptTokens;
            metrics.PrefixCacheHits += cachedTokens;
        }

        Schedule(sequence, tokens, needed);
        return true;
    }

    /// <summary>Puts the blocks found for the sequence's beginning into its list, without references yet. At least one token is left to compute.</summary>
    private int FindShared(Sequence sequence, out int unreferenced)
    {
        unreferenced = 0;
        sequence.BlockCount = 0;
        if (!options.EnablePrefixCaching) return 0;
        var hashes = sequence.Request.BlockHashes.Span;
        var most = Math.Min(hashes.Length, (sequence.TotalTokens - 1) / options.BlockSize);
        var hits = 0;
        while (hits < most && Blocks.TryFind(hashes[hits], out var block))
        {
            if (!Blocks.IsReferenced(block)) unreferenced++;
            sequence.AddBlock(block);
            hits++;
        }

        sequence.BlockCount = 0;
        return hits;
    }

    private void Schedule(Sequence sequence, int tokens, int newBlocks)
    {
        AddBlocks(sequence, newBlocks);
        sequence.Scheduled = tokens;
        _budget -= tokens;
        if (sequence.Generated > 0 && sequence.Computed == sequence.TotalTokens - 1)
        {
            _decodes++;
            _decodeContext += sequence.TotalTokens;
        }
        else
        {
            _prefills++;
            _prefillTokens += tokens;
            _extraMs += options.StepTimes.ContextAttentionMs(tokens, sequence.Computed);
        }

        Share(sequence, (sequence.Computed + tokens) / options.BlockSize);
    }

    private void AddBlocks(Sequence sequence, int count)
    {
        for (var i = 0; i < count; i++) sequence.AddBlock(Blocks.Take());
    }

    // A block is findable from the step that fills it on: a layer's keys are written before that layer's attention reads them, so a
    // second prompt in the very same step can use it.
    private void Share(Sequence sequence, int fullBlocks)
    {
        if (!options.EnablePrefixCaching || fullBlocks <= sequence.SharedBlocks) return;
        var hashes = sequence.Request.BlockHashes.Span;
        var end = Math.Min(fullBlocks, hashes.Length);
        var run = 0;
        for (var i = sequence.SharedBlocks; i < end; i++)
        {
            if (Blocks.Share(sequence.Blocks[i], hashes[i]))
            {
                run++;
                continue;
            }
            if (run > 0) Blocks.Observer?.OnStored(in sequence.Request, i - run, run);
            run = 0;
        }
        if (run > 0) Blocks.Observer?.OnStored(in sequence.Request, end - run, run);
        sequence.SharedBlocks = fullBlocks;
    }

    private void Preempt(Sequence sequence)
    {
        Running.RemoveAt(Running.Count - 1);
        Release(sequence);
        sequence.Computed = sequence.Scheduled = 0;
        sequence.State = SequenceState.Waiting;
        Waiting.AddFirst(sequence);
        Loras.Wait(sequence.Request.LoraId, 1);
        metrics.Preemptions++;
    }

    private int BlocksFor(int tokens) => (tokens + options.BlockSize - 1) / options.BlockSize;
}
