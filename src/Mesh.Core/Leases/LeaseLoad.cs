using Mesh.Core.Regions.Peers;

namespace Mesh.Core.Leases;

/// <summary>What one request weighs at its endpoint while its lease lasts.</summary>
/// <param name="PromptTokens">Estimated prompt length, at least 0.</param>
/// <param name="OutputTokens">Expected output length, at least 0.</param>
internal readonly record struct LeaseLoad(int PromptTokens, int OutputTokens)
{
    public long Tokens => (long)PromptTokens + OutputTokens;

    /// <summary>Context that a decode step reads for it, on average over its life.</summary>
    public int ContextTokens => PromptTokens + OutputTokens / 2;

    /// <summary>True when the answer's first byte says that the prompt is computed.</summary>
    public bool Streaming { get; init; }

    /// <summary>LoRA adapter that it runs with; null for a base model.</summary>
    public string? Adapter { get; init; }

    /// <summary>Peer region that the request came from; null for a client's own.</summary>
    public Peer? Origin { get; init; }

    /// <summary>Predicted time of the prompt's uncached part, in milliseconds.</summary>
    public double OwnMs { get; init; }

    /// <summary>The same by the step-time table alone.</summary>
    public double TableMs { get; init; }

    /// <summary>Prompt tokens that the endpoint was believed to hold; 0 where the profile does not ask.</summary>
    public int CachedTokens { get; init; }

    /// <summary>When it was sent, in milliseconds since the pool's start.</summary>
    public double SentMs { get; init; }

    /// <summary>When all prompts sent to its endpoint until then were predicted to be computed, in milliseconds since the pool's start.</summary>
    public double BusyUntilMs { get; init; }

    /// <summary>Taken over from an earlier state: how it goes on says nothing about this one's predictions.</summary>
    public bool IsAdopted { get; init; }

    /// <summary>When its first byte was predicted, in milliseconds since the pool's start.</summary>
    public double FirstByteMs { get; init; }
}
