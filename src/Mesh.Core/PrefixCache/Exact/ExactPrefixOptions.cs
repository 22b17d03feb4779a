namespace Mesh.Core.PrefixCache.Exact;

/// <summary>Bounds and times of the knowledge that comes from cache events.</summary>
public sealed record ExactPrefixOptions
{
    /// <summary>Blocks of all endpoints kept, 1,024–100,000,000; 1,048,576 by default. About 120 bytes each, taken from the system as they fill up.</summary>
    public int MaxBlocks { get; init; } = 1 << 20;

    /// <summary>Places of prompts kept that are known in the endpoints' terms, 1,024–100,000,000; 262,144 by default. About 60 bytes each, and 16 more for every 64 feeds.</summary>
    public int MaxMappings { get; init; } = 1 << 18;

    /// <summary>How long what was routed counts until the events have had time to tell of it, 10 ms to 5 min; 2 s by default, twice that at most.</summary>
    public TimeSpan BridgeTime { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long after a request's end its last blocks are looked for again where they could not be told at once, 0–1 min; 500 ms by default. Once more four times as long after that: events that are later still teach nothing.</summary>
    public TimeSpan LearnDelay { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Checks every range.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A setting is out of its range.</exception>
    public void Validate()
    {
        Check(MaxBlocks, 1024, 100_000_000, nameof(MaxBlocks));
        Check(MaxMappings, 1024, 100_000_000, nameof(MaxMappings));
        Check(BridgeTime.TotalMilliseconds, 10, 300_000, nameof(BridgeTime));
        Check(LearnDelay.TotalMilliseconds, 0, 60_000, nameof(LearnDelay));
    }

    private static void Check(double value, double least, double most, string name)
    {
        if (!(value >= least && value <= most)) throw new ArgumentOutOfRangeException(name, value, $"Between {least} and {most}.");
    }
}
