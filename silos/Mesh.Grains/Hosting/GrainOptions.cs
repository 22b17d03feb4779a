using Mesh.Core.Sharding;
using Mesh.Engine;

namespace Mesh.Grains.Hosting;

/// <summary>Settings of the grains of a silo. Each has a default that suits silos of one region.</summary>
public sealed record GrainOptions
{
    /// <summary>Settings of probing, scraping and pools; the same on every silo.</summary>
    public EngineOptions Engine { get; init; } = new();

    /// <summary>Decides how ties are broken; the same on every silo.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>When a pool is divided into shards; the same on every silo.</summary>
    public ShardingOptions Sharding { get; init; } = new();

    /// <summary>How long a waiting call stays open before it is told to ask again, 10 ms to 1 min; 250 ms by default.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Time between two looks of a pool at its configuration and its sessions, 10 ms to 10 s; 100 ms by default.</summary>
    public TimeSpan PoolInterval { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// How long a pool that has taken another activation's place waits for all gateways to say what they hold before it places requests, 0 to 5 s;
    /// 200 ms, two of their signs of life, by default.
    /// </summary>
    public TimeSpan SettleTime { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Time between two states that a pool tells its gateways, 10 ms to 1 min; 500 ms by default.</summary>
    public TimeSpan SnapshotInterval { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Time between two rounds of those who keep others running, 50 ms to 1 min; 1 s by default.</summary>
    public TimeSpan KeepInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long an answer is remembered in case it is asked for again, 1 s to 10 min; 15 s by default.</summary>
    public TimeSpan AnswerMemory { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Answers remembered for one gateway and pool at most, 1,000–16,777,216; 262,144 by default. Beyond it the oldest are forgotten.</summary>
    public int MaxRememberedAnswers { get; init; } = 1 << 18;

    /// <summary>False where the host lets time pass by <c>Tick</c>; true by default.</summary>
    public bool KeepsTime { get; init; } = true;

    /// <summary>Checks every range.</summary>
    /// <exception cref="ArgumentException">A setting is out of its range.</exception>
    public void Validate()
    {
        Engine.Validate();
        Sharding.Validate();
        Check(PollInterval, TimeSpan.FromMilliseconds(10), TimeSpan.FromMinutes(1), nameof(PollInterval));
        Check(PoolInterval, TimeSpan.FromMilliseconds(10), TimeSpan.FromSeconds(10), nameof(PoolInterval));
        Check(SettleTime, TimeSpan.Zero, TimeSpan.FromSeconds(5), nameof(SettleTime));
        Check(SnapshotInterval, TimeSpan.FromMilliseconds(10), TimeSpan.FromMinutes(1), nameof(SnapshotInterval));
        Check(KeepInterval, TimeSpan.FromMilliseconds(50), TimeSpan.FromMinutes(1), nameof(KeepInterval));
        Check(AnswerMemory, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10), nameof(AnswerMemory));
        Check(MaxRememberedAnswers, 1000, 1 << 24, nameof(MaxRememberedAnswers));
    }

    private static void Check<T>(T value, T least, T most, string name)
        where T : IComparable<T>
    {
        if (value.CompareTo(least) < 0 || value.CompareTo(most) > 0)
            throw new ArgumentOutOfRangeException(name, value, $"Between {least} and {most}.");
    }
}
