using Mesh.Core.Health;
using Mesh.Core.PrefixCache;
using Mesh.Core.PrefixCache.Exact;
using Mesh.Core.Regions;
using Mesh.Core.SpillOver;

namespace Mesh.Core.Routing;

/// <summary>Settings of a pool state. Each has a default that suits a region of thousands of endpoints.</summary>
public sealed record PoolStateOptions
{
    /// <summary>Epoch of the leases that this state hands out, at least 1. A state that replaces another one needs a higher epoch.</summary>
    public long Epoch { get; init; } = 1;

    /// <summary>Silence after which a gateway session loses its leases, 100 ms to 10 min; 5 s by default.</summary>
    public TimeSpan SessionTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Age from which a sample of an endpoint's metrics counts as unknown, 10 ms to 10 min; 1 s by default.</summary>
    public TimeSpan SampleMaxAge { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Output tokens expected of a request that sets no cap, 0–1,000,000; 256 by default.</summary>
    public int AssumedOutputTokens { get; init; } = 256;

    /// <summary>Requests in flight that one failure counts as at first, 0–1,000; 4 by default.</summary>
    public double FailureWeightRequests { get; init; } = 4;

    /// <summary>Time in which the weight of a failure halves, 10 ms to 10 min; 2 s by default.</summary>
    public TimeSpan FailureHalfLife { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Leases outstanding at a time, 1–16,777,216; 1,048,576 by default. Beyond it requests are refused.</summary>
    public int MaxLeases { get; init; } = 1 << 20;

    /// <summary>Gateway sessions known at a time, 1–1,048,576; 4,096 by default. Beyond it requests of new ones are refused.</summary>
    public int MaxSessions { get; init; } = 4096;

    /// <summary>Where the pool's gateways stand; by default no region is nearer than another.</summary>
    public Locality Locality { get; init; } = new();

    /// <summary>Durations of the exchange with peer regions (<see cref="PoolState.SetPeers"/>).</summary>
    public RegionOptions Regions { get; init; } = new();

    /// <summary>Name of this part of a pool that is divided (<see cref="Sharding.ShardName"/>): its peers are the other parts; empty, the default, for a pool that is not.</summary>
    public string Shard { get; init; } = "";

    /// <summary>Lengths of the blocks of <see cref="RouteRequest.PrefixChain"/>.</summary>
    public PrefixLayout PrefixLayout { get; init; } = PrefixLayout.Growing;

    /// <summary>Block hashes that the prefix index keeps, 64–100,000,000, about 50 bytes each; 1,048,576 by default.</summary>
    public int MaxPrefixBlocks { get; init; } = 1 << 20;

    /// <summary>Bounds of what cache events tell; memory is taken with the first feed only.</summary>
    public ExactPrefixOptions ExactPrefixes { get; init; } = new();

    /// <summary>When endpoints that fail requests are left alone.</summary>
    public EjectionOptions Ejection { get; init; } = new();

    /// <summary>
    /// Time in which the share of an endpoint rises from a tenth to the whole, 0–10 min; 30 s by default, 0 switches it off. It begins where an endpoint is healthy
    /// for the first time beside others that have been so, is healthy again, returns from an ejection, or has had its engine restarted.
    /// </summary>
    public TimeSpan SlowStartWindow { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// True to keep every decision with its candidates (<see cref="PoolState.Decisions()"/>); off by default, for it allocates at every request. Off, those are kept that ask for
    /// it (<see cref="RouteRequest.Explain"/>).
    /// </summary>
    public bool Explain { get; init; }

    /// <summary>Decisions kept, 1–65,536; 256 by default.</summary>
    public int ExplainedDecisions { get; init; } = 256;

    /// <summary>Refusals kept in each second besides those that were asked about, 0–10,000; 0 by default.</summary>
    public int ExplainedRefusalsPerSecond { get; init; }

    /// <summary>Checks every range.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A setting is out of its range.</exception>
    public void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Epoch, 1);
        CheckTime(SessionTimeout, TimeSpan.FromMilliseconds(100), nameof(SessionTimeout));
        CheckTime(SampleMaxAge, TimeSpan.FromMilliseconds(10), nameof(SampleMaxAge));
        CheckTime(FailureHalfLife, TimeSpan.FromMilliseconds(10), nameof(FailureHalfLife));
        CheckTime(SlowStartWindow, TimeSpan.Zero, nameof(SlowStartWindow));
        Check(AssumedOutputTokens, 0, 1_000_000, nameof(AssumedOutputTokens));
        Check(FailureWeightRequests, 0, 1000, nameof(FailureWeightRequests));
        Check(MaxLeases, 1, 1 << 24, nameof(MaxLeases));
        Check(MaxPrefixBlocks, 64, 100_000_000, nameof(MaxPrefixBlocks));
        Check(ExplainedDecisions, 1, 65_536, nameof(ExplainedDecisions));
        Check(ExplainedRefusalsPerSecond, 0, 10_000, nameof(ExplainedRefusalsPerSecond));
        Regions.Validate();
        Ejection.Validate();
        ExactPrefixes.Validate();
        Check(MaxSessions, 1, 1 << 20, nameof(MaxSessions));
    }

    private static void CheckTime(TimeSpan value, TimeSpan least, string name)
    {
        if (value < least || value > TimeSpan.FromMinutes(10)) throw new ArgumentOutOfRangeException(name, value, $"Between {least} and 10 min.");
    }

    private static void Check(double value, double least, double most, string name)
    {
        if (!(value >= least && value <= most)) throw new ArgumentOutOfRangeException(name, value, $"Between {least} and {most}.");
    }
}
