namespace Mesh.Core.Sharding;

/// <summary>When a pool is divided. By default never: one activation places some ten thousand requests a second.</summary>
public sealed record ShardingOptions
{
    /// <summary>Shards that every pool has at least, 1–16; 1 by default.</summary>
    public int Shards { get; init; } = 1;

    /// <summary>Shards that a pool may be split into when its load asks for it, <see cref="Shards"/>–16; 1 by default. Not above <see cref="Shards"/>, the number is fixed.</summary>
    public int MostShards { get; init; } = 1;

    /// <summary>Share of its time that a shard's activation works from which on the pool is split, mean of the shards, above <see cref="JoinBelow"/>·2, at most 1; 0.6 by default.</summary>
    public double SplitAbove { get; init; } = 0.6;

    /// <summary>How long that has to last, 0–10 min; 3 s by default.</summary>
    public TimeSpan SplitAfter { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Share below which shards are joined, above 0, below half of <see cref="SplitAbove"/>; 0.15 by default: joined, they are half way to the next split.</summary>
    public double JoinBelow { get; init; } = 0.15;

    /// <summary>How long that has to last, 0–1 h; 1 min by default.</summary>
    public TimeSpan JoinAfter { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Time that a new map has to reach everybody before the next, 100 ms–10 min; 5 s by default.</summary>
    public TimeSpan MapAge { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a shard waits for what another hands over to it, 0–1 min, at most <see cref="MapAge"/>; 2 s by default.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>True when the number follows the load.</summary>
    public bool IsAutomatic => MostShards > Shards;

    /// <summary>Checks every range.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A setting is out of its range.</exception>
    public void Validate()
    {
        Check(Shards, 1, ShardMap.Most, nameof(Shards));
        Check(MostShards, 1, ShardMap.Most, nameof(MostShards));
        Check(SplitAbove, 0.01, 1, nameof(SplitAbove));
        // Otherwise what was joined would be split again at once.
        if (!(JoinBelow > 0 && JoinBelow < SplitAbove / 2)) throw new ArgumentOutOfRangeException(nameof(JoinBelow), JoinBelow, "Above 0 and below half of SplitAbove.");
        Check(SplitAfter.TotalSeconds, 0, 600, nameof(SplitAfter));
        Check(JoinAfter.TotalSeconds, 0, 3600, nameof(JoinAfter));
        Check(MapAge.TotalSeconds, 0.1, 600, nameof(MapAge));
        Check(Patience.TotalSeconds, 0, Math.Min(60, MapAge.TotalSeconds), nameof(Patience));
    }

    private static void Check(double value, double least, double most, string name)
    {
        if (!(value >= least && value <= most)) throw new ArgumentOutOfRangeException(name, value, $"Between {least} and {most}.");
    }
}
