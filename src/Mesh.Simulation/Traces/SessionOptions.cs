namespace Mesh.Simulation.Traces;

/// <summary>Describes generated chats.</summary>
internal sealed record SessionOptions
{
    /// <summary>Length of the trace, 1 s to 7 days. It begins with no session live, so its first minutes are below the rate.</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>Requests at most; the generation ends there.</summary>
    public long MostRequests { get; init; } = long.MaxValue;

    /// <summary>Mean requests per second, above 0.</summary>
    public double RequestsPerSecond { get; init; } = 10;

    /// <summary>Different system prompts, 1–1,000,000; every session has one of them, all equally likely.</summary>
    public int SystemPrompts { get; init; } = 20;

    /// <summary>Tokens of a system prompt, 0–1,000,000; in whole blocks of 512, rounded down.</summary>
    public int SystemPromptTokens { get; init; } = 1024;

    /// <summary>Mean turns of a session, 1–1,000; geometrically distributed.</summary>
    public double MeanTurns { get; init; } = 5;

    /// <summary>Mean time between two turns' arrivals, exponentially distributed, 0–1 day.</summary>
    public TimeSpan MeanThinkTime { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Mean tokens that a turn adds to the prompt, exponentially distributed, cut to 8–65,536.</summary>
    public double MeanInputTokens { get; init; } = 400;

    /// <summary>Mean tokens of an answer, exponentially distributed, cut to 1–8,192.</summary>
    public double MeanOutputTokens { get; init; } = 200;

    /// <summary>Longest prompt and answer together; a session ends when its next turn would be longer.</summary>
    public int MostTokens { get; init; } = 131_072;

    /// <summary>How much faster sessions begin in the busy half of every minute than on average, 1 (Poisson) to 2 (none in the other half).</summary>
    public double Burstiness { get; init; } = 1;

    /// <summary>Seed of everything.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Checks every range.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of its range.</exception>
    public void Validate()
    {
        Check(Duration.TotalSeconds, 1, 7 * 86400, nameof(Duration));
        Check(RequestsPerSecond, 1e-6, 1e9, nameof(RequestsPerSecond));
        Check(SystemPrompts, 1, 1_000_000, nameof(SystemPrompts));
        Check(SystemPromptTokens, 0, 1_000_000, nameof(SystemPromptTokens));
        Check(MeanTurns, 1, 1000, nameof(MeanTurns));
        Check(MeanThinkTime.TotalSeconds, 0, 86400, nameof(MeanThinkTime));
        Check(MeanInputTokens, 8, 65_536, nameof(MeanInputTokens));
        Check(MeanOutputTokens, 1, 8192, nameof(MeanOutputTokens));
        Check(MostTokens, SystemPromptTokens + 1024, 1 << 24, nameof(MostTokens));
        Check(Burstiness, 1, 2, nameof(Burstiness));
    }

    private static void Check(double value, double least, double most, string name)
    {
        if (!(value >= least && value <= most)) throw new ArgumentOutOfRangeException(name, value, $"{name} must be {least}–{most}.");
    }
}
