namespace Mesh.Simulation.Model;

internal enum SequenceState
{
    Unused,
    Waiting,
    Running,
}

/// <summary>Mutable state of one sequence. Objects are used again, so that a long simulation allocates per concurrent sequence, not per request.</summary>
internal sealed class Sequence(int slot)
{
    public VllmRequest Request;
    public SequenceState State;
    public int Version;

    // Links of the waiting queue.
    public Sequence? Previous;
    public Sequence? Next;

    public int OutputTokens;
    public int Generated;
    public int Computed;
    public int Scheduled;
    public int CachedTokens;
    public bool Admitted;

    public int[] Blocks = [];
    public int BlockCount;
    public int SharedBlocks;

    public double ArrivedMs;
    public double AdmittedMs;
    public double FirstTokenMs;
    public double LastTokenMs;

    public int TotalTokens => Request.PromptTokens + Generated;

    public SequenceHandle Handle => new(slot, Version);

    public int Slot => slot;

    public void Begin(in VllmRequest request, int outputTokens, double nowMs)
    {
        Request = request;
        State = SequenceState.Waiting;
        OutputTokens = outputTokens;
        Generated = Computed = Scheduled = CachedTokens = BlockCount = SharedBlocks = 0;
        Admitted = false;
        ArrivedMs = nowMs;
        AdmittedMs = FirstTokenMs = LastTokenMs = 0;
    }

    public void End()
    {
        State = SequenceState.Unused;
        Scheduled = 0;
        Version++;
        // Let go of the caller's objects: an idle slot must not keep a prompt alive.
        Request = default;
    }

    public void AddBlock(int block)
    {
        if (BlockCount == Blocks.Length) Array.Resize(ref Blocks, Math.Max(8, Blocks.Length * 2));
        Blocks[BlockCount++] = block;
    }
}
