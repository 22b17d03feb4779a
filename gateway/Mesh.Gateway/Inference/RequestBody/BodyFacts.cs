namespace Mesh.Gateway.Inference.RequestBody;

/// <summary>What one pass over a request body found. The body itself is sent on as it came.</summary>
internal record struct BodyFacts
{
    /// <summary>Model; null when the body names none or names it by something other than a string.</summary>
    public string? Model { get; set; }

    /// <summary>True when <c>model</c> is there but not a string.</summary>
    public bool ModelHasWrongType { get; set; }

    /// <summary>True when the client asked for a stream.</summary>
    public bool Stream { get; set; }

    /// <summary>True when the client asked for a last chunk with the usage.</summary>
    public bool IncludeUsage { get; set; }

    /// <summary>Cap on generated tokens; 0 when the body sets none that counts.</summary>
    public int MaxOutputTokens { get; set; }

    /// <summary>UTF-8 bytes of prompt text: prompt, messages' contents and tools.</summary>
    public long PromptTextBytes { get; set; }

    /// <summary>Tokens and messages that the body gives as such: token ids, and what a chat template adds per message.</summary>
    public long PromptFixedTokens { get; set; }

    /// <summary>Offset of the value of <c>prompt</c> or <c>messages</c> in the body, in bytes; 0 when there is none.</summary>
    public int PromptOffset { get; set; }

    /// <summary>Length of that value in bytes.</summary>
    public int PromptLength { get; set; }

    /// <summary>Estimated prompt length in tokens: four bytes of text to a token.</summary>
    public readonly int PromptTokens => (int)Math.Min(PromptFixedTokens + ((PromptTextBytes + 3) / 4), int.MaxValue);
}
