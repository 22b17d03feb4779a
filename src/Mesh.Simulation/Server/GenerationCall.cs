using Mesh.Simulation.Tokens;

namespace Mesh.Simulation.Server;

/// <summary>A prompt as tokens, and as text where it came as text.</summary>
internal readonly record struct Prompt(int[] Tokens, string? Text)
{
    public string AsText() => Text ?? Tokenizer.Text(Tokens);
}

/// <summary>What a completion or chat completion asks for, checked.</summary>
internal sealed record GenerationCall
{
    public required ServedModel Model { get; init; }

    public required bool IsChat { get; init; }

    public required IReadOnlyList<Prompt> Prompts { get; init; }

    /// <summary>Cap on answer tokens; 0 when none is named.</summary>
    public int MaxTokens { get; init; }

    /// <summary>Answers per prompt.</summary>
    public int N { get; init; } = 1;

    public bool Stream { get; init; }

    public bool IncludeUsage { get; init; }

    public bool Echo { get; init; }

    public IReadOnlyList<string> Stop { get; init; } = [];

    public bool IncludeStop { get; init; }

    public double Temperature { get; init; } = 1;

    public long? Seed { get; init; }

    public string? CacheSalt { get; init; }

    /// <summary>The call of a tool that is the answer; null when it is a text.</summary>
    public ToolCall? Tool { get; init; }

    public int PromptTokens => Prompts.Sum(p => p.Tokens.Length);
}
