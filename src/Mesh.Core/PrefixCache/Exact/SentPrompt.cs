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

    public double EndedMs { get; set; }

    /// <summary>Its length in the endpoint's tokens, from the usage.</summary>
    public int PromptTokens { get; set; }

    public int OutputTokens { get; set; }

    public ReadOnlySpan<ulong> Chain => _chain.AsSpan(0, Length);

    public void Begin(int slot, ReadOnlySpan<ulong> chain, int estimatedTokens, int expectedTokens, double nowMs)
    {
        if (_chain.Length < chain.Length) _chain = new ulong[chain.Length];
        chain.CopyTo(_chain);
        (Slot, Length, EstimatedTokens, ExpectedTokens, SentMs) = (slot, chain.Length, estimatedTokens, expectedTokens, nowMs);
    }
}
