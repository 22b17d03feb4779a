using Mesh.Core.Leases;
using Mesh.Simulation.Traces;

namespace Mesh.Simulation.World;

/// <summary>Where a request of the world is.</summary>
internal enum RequestStage
{
    /// <summary>The object is not in use.</summary>
    None,

    /// <summary>Its router holds it.</summary>
    AtGateway,

    /// <summary>It was sent to an endpoint and has not answered.</summary>
    Sent,

    /// <summary>Its first token has reached the gateway.</summary>
    Answering,
}

/// <summary>One request on its way through the world. Objects are used again: a world allocates per concurrent request. Not thread-safe.</summary>
internal sealed class WorldRequest(int slot)
{
    private ulong[] _engineBlocks = [];
    private ulong[] _chain = [];
    private int _engineBlockCount;

    /// <summary>Place in the world's table.</summary>
    public int Slot => slot;

    /// <summary>Number in the trace, from 0.</summary>
    public long Number { get; private set; }

    /// <summary>Region whose gateway it came to.</summary>
    public int Region { get; private set; }

    public RequestStage Stage { get; set; }

    public int PromptTokens { get; private set; }

    public int OutputTokens { get; private set; }

    /// <summary>Hash of its session; never 0.</summary>
    public ulong Session { get; private set; }

    public double ArrivedMs { get; private set; }

    public double SentMs { get; set; }

    public double FirstByteMs { get; set; }

    /// <summary>Endpoint that it was sent to, numbered within its region; −1 before.</summary>
    public int Endpoint { get; set; }

    /// <summary>Prompt tokens that the engine found in its cache, once it has told.</summary>
    public int CachedTokens { get; set; }

    /// <summary>Hashes of the trace's prompt blocks of 512 tokens, each naming all before it too; the last may be of a part of a block.</summary>
    public ReadOnlyMemory<ulong> Chain { get; private set; }

    /// <summary>The same of all the trace's blocks: those of the answer, as far as known, too.</summary>
    public ReadOnlyMemory<ulong> KnownChain { get; private set; }

    /// <summary>Hashes of the full blocks of the engine's size, of the prompt and as far as known of the answer.</summary>
    public ReadOnlyMemory<ulong> EngineBlocks => _engineBlocks.AsMemory(0, _engineBlockCount);

    /// <summary>Lease of the production core, where that routes.</summary>
    public LeaseId Lease { get; set; }

    /// <summary>Priority that its client's objective gives it; 0 without one.</summary>
    public int Priority { get; set; }

    /// <summary>Why it was turned away or given up, in snake case; null where nothing was said.</summary>
    public string? RefusedFor { get; set; }

    /// <summary>A number of the router's own, in milliseconds or tokens.</summary>
    public double RouterAmount { get; set; }

    /// <summary>Fills in a row of a trace.</summary>
    public void Begin(long number, int region, double nowMs, in TraceRequest row, int engineBlockTokens)
    {
        Number = number;
        Region = region;
        Stage = RequestStage.AtGateway;
        PromptTokens = row.PromptTokens;
        OutputTokens = row.OutputTokens;
        Session = row.Session;
        ArrivedMs = nowMs;
        SentMs = FirstByteMs = double.NaN;
        Endpoint = -1;
        CachedTokens = 0;
        Lease = default;
        RouterAmount = 0;
        Priority = 0;
        RefusedFor = null;
        var blocks = row.Blocks.Span;
        if (_chain.Length < blocks.Length) _chain = new ulong[blocks.Length];
        for (var i = 0; i < blocks.Length; i++) _chain[i] = BlockHash.OfTraceBlock(blocks[i]);
        Chain = _chain.AsMemory(0, Math.Min(blocks.Length, (PromptTokens + TraceRequest.BlockTokens - 1) / TraceRequest.BlockTokens));
        KnownChain = _chain.AsMemory(0, blocks.Length);
        FillEngineBlocks(Math.Min(row.KnownTokens, blocks.Length * TraceRequest.BlockTokens), engineBlockTokens);
    }

    private void FillEngineBlocks(int knownTokens, int blockTokens)
    {
        var perTraceBlock = TraceRequest.BlockTokens / blockTokens;
        _engineBlockCount = knownTokens / blockTokens;
        if (_engineBlocks.Length < _engineBlockCount) _engineBlocks = new ulong[Math.Max(_engineBlockCount, _engineBlocks.Length * 2)];
        for (var i = 0; i < _engineBlockCount; i++) _engineBlocks[i] = BlockHash.OfEngineBlock(_chain[i / perTraceBlock], i % perTraceBlock);
    }
}
