namespace Mesh.Simulation.Traces;

/// <summary>One row of a trace.</summary>
internal readonly record struct TraceRequest
{
    /// <summary>Tokens of one block of <see cref="Blocks"/>.</summary>
    public const int BlockTokens = 512;

    /// <summary>Arrival in milliseconds since the trace began; never falls from row to row.</summary>
    public required double ArrivalMs { get; init; }

    /// <summary>Tokens of the prompt, at least 1.</summary>
    public required int PromptTokens { get; init; }

    /// <summary>Tokens of the answer, at least 1.</summary>
    public required int OutputTokens { get; init; }

    /// <summary>
    /// Ids of the prompt's blocks of 512 tokens, the last covering what is left. An id names its block and all before it: equal ids, equal
    /// prefixes. Empty where a trace tells nothing of contents. Valid until the next row is read.
    /// </summary>
    public ReadOnlyMemory<long> Blocks { get; init; }

    /// <summary>Tokens that <see cref="Blocks"/> tells the contents of: the prompt, or the answer too where later prompts repeat it.</summary>
    public int KnownTokens { get; init; }

    /// <summary>Hash of the session, never 0.</summary>
    public required ulong Session { get; init; }
}
