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

    /// <summary>True when the client asked for the usage in every chunk, beside or without the last.</summary>
    public bool ContinuousUsage { get; set; }

    /// <summary>What the body gives as <c>stream_options</c>.</summary>
    public StreamOptionsShape StreamOptions { get; set; }

    /// <summary>Value of <c>stream_options</c> in the body; empty when there is none.</summary>
    public ByteRange StreamOptionsValue { get; set; }

    /// <summary>Value of <c>stream_options.include_usage</c> in the body; empty when there is none.</summary>
    public ByteRange IncludeUsageValue { get; set; }

    /// <summary>Where the body's object begins.</summary>
    public int RootOffset { get; set; }

    /// <summary>True when the body is a form, whose values stand there without quotes.</summary>
    public bool IsForm { get; set; }

    /// <summary>True when the client names the id of the response by itself.</summary>
    public bool HasRequestId { get; set; }

    /// <summary>Id of the stored response that the request goes on from; null without one.</summary>
    public string? PreviousResponseId { get; set; }

    /// <summary>Cap on generated tokens; 0 when the body sets none that counts.</summary>
    public int MaxOutputTokens { get; set; }

    /// <summary>UTF-8 bytes of prompt text: prompt, messages' contents and tools.</summary>
    public long PromptTextBytes { get; set; }

    /// <summary>Tokens and messages that the body gives as such: token ids, and what a chat template adds per message.</summary>
    public long PromptFixedTokens { get; set; }

    /// <summary>Value of <c>model</c> in the body, with its quotes if it has any.</summary>
    public ByteRange ModelValue { get; set; }

    /// <summary>Value of <c>prompt</c>, <c>messages</c> or <c>input</c> in the body; empty when there is none.</summary>
    public ByteRange PromptValue { get; set; }

    /// <summary>Value of <c>tools</c> in the body; empty when there is none.</summary>
    public ByteRange ToolsValue { get; set; }

    /// <summary>Value of <c>system</c> or <c>instructions</c> in the body; empty when there is none.</summary>
    public ByteRange SystemValue { get; set; }

    /// <summary>Value of <c>cache_salt</c> in the body, with its quotes; empty when there is none.</summary>
    public ByteRange SaltValue { get; set; }

    /// <summary>True when the prompt is a list of messages.</summary>
    public bool IsChat { get; set; }

    /// <summary>Estimated prompt length in tokens: four bytes of text to a token.</summary>
    public readonly int PromptTokens => (int)Math.Min(PromptFixedTokens + ((PromptTextBytes + 3) / 4), int.MaxValue);
}

/// <summary>Where a value stands in a body.</summary>
/// <param name="Offset">First byte.</param>
/// <param name="Length">Length in bytes; 0 when there is no value.</param>
internal readonly record struct ByteRange(int Offset, int Length)
{
    /// <summary>True when there is no value.</summary>
    public bool IsEmpty => Length == 0;

    /// <summary>The value's bytes.</summary>
    public ReadOnlySpan<byte> Of(ReadOnlySpan<byte> body) => body.Slice(Offset, Length);
}
