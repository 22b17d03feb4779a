namespace Mesh.Simulation.Model;

/// <summary>One sequence to generate. The answer's length is known beforehand: the model simulates time and memory, not language.</summary>
public readonly record struct VllmRequest
{
    /// <summary>Tokens of the prompt, 1 or more and below the engine's maximum length.</summary>
    public required int PromptTokens { get; init; }

    /// <summary>Tokens of the answer, 1 or more; cut where prompt and answer reach the maximum length.</summary>
    public required int OutputTokens { get; init; }

    /// <summary>Reason reported when <see cref="OutputTokens"/> is reached: <see cref="FinishReason.Stop"/> or <see cref="FinishReason.Length"/>.</summary>
    public FinishReason EndsWith { get; init; }

    /// <summary>
    /// Chained hashes of the full blocks of prompt and answer, in order, each seeded by all before it, by the adapter and by the cache salt.
    /// May end early: later blocks are then not shared. 0 marks a block that is not shared.
    /// </summary>
    public ReadOnlyMemory<ulong> BlockHashes { get; init; }

    /// <summary>Adapter, 1 or more; 0 is the base model.</summary>
    public int LoraId { get; init; }

    /// <summary>Cap on answer tokens that the client named, for the metrics; 0 when it named none.</summary>
    public int MaxTokensParam { get; init; }

    /// <summary>Answers per prompt that the client asked for, for the metrics; 0 on all but one of the sequences of one call.</summary>
    public int AnswersParam { get; init; }

    /// <summary>Handed back with every event.</summary>
    public object? Tag { get; init; }
}
