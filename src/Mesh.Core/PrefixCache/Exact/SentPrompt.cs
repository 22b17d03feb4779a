namespace Mesh.Core.PrefixCache.Exact;

/// <summary>A prompt on its way: what will tell its blocks among those that its endpoint stores. Used again for another when it is done.</summary>
internal sealed class SentPrompt
{
    private ulong[] _chain = [];

    public int Slot { get; private set; }

    public int Length { get; private set; }

    /// <summary>Its length in the layout's tokens.</summary>
    public int EstimatedTokens { get; private set; }

    /// <summary>Tokens that were expected to be found in the endpoint's cache, in the layout's tokens.</summary>
    public int ExpectedTokens { get; private set; }

    public double SentMs { get; private set; }

    /// <summary>When its first byte came; when it was sent, if that was not told.</summary>
    public double FirstByteMs { get; set; }

    public double EndedMs { get; set; }

    /// <summary>When its blocks are looked for.</summary>
    public double LookAtMs { get; set; }

    /// <summary>True when they were looked for once and nothing was found.</summary>
    public bool LookedFor { get; set; }

    /// <summary>Its length in the endpoint's tokens, from the usage.</summary>
    public int PromptTokens { get; set; }

    public int OutputTokens { get; set; }

    /// <summary>Earliest time at which its last block can have come: the answer's last block is as old as a block takes to be written.</summary>
    public double LastBlockAfterMs(int blockTokens)
    {
        const double SlackMs = 100;
        if (OutputTokens <= blockTokens) return SentMs;
        return Math.Max(SentMs, EndedMs - ((EndedMs - FirstByteMs) * 2 * blockTokens / OutputTokens) - SlackMs);
    }

    public ReadOnlySpan<ulong> Chain => _chain.AsSpan(0, Length);

    public void Begin(int slot, ReadOnlySpan<ulong> chain, int estimatedTokens, int expectedTokens, double nowMs)
    {
        if (_chain.Length < chain.Length) _chain = new ulong[chain.Length];
        chain.CopyTo(_chain);
        (Slot, Length, EstimatedTokens, ExpectedTokens, SentMs) = (slot, chain.Length, estimatedTokens, expectedTokens, nowMs);
        FirstByteMs = nowMs;
        LookedFor = false;
    }
}
