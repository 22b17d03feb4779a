using Mesh.Core.Routing;

namespace Mesh.Grains.Gateways;

/// <summary>Settings of a gateway's way to the grains. Each has a default.</summary>
public sealed record GrainEngineOptions
{
    /// <summary>Name of the gateway, another one for each process, not empty.</summary>
    public required string GatewayId { get; init; }

    /// <summary>Time between two signs of life to each pool, 10 ms to 10 s, at most a third of the pools' session time-out; 100 ms by default.</summary>
    public TimeSpan HeartbeatInterval { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Time after which a call without an answer is asked again, 50 ms to 1 min; longer than the pools keep a call open (250 ms); 600 ms by default.</summary>
    public TimeSpan AskTimeout { get; init; } = TimeSpan.FromMilliseconds(600);

    /// <summary>Time that a batch of news may take before it is sent again, 50 ms to 1 min; 500 ms by default.</summary>
    public TimeSpan SendTimeout { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Pause after a call that failed, 1 ms to 10 s; 30 ms by default.</summary>
    public TimeSpan RetryPause { get; init; } = TimeSpan.FromMilliseconds(30);

    /// <summary>Silence of a pool after which the gateway chooses by itself, by what it last knew, 100 ms to 1 h; 3 s by default.</summary>
    public TimeSpan FailStaticAfter { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How long it goes on so before it refuses, 0 to 24 h; 1 min by default; 0 never chooses by itself.</summary>
    public TimeSpan FailStaticFor { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long a request waits for a pool that the silos do not know, perhaps not yet, 0 to 1 min; 2 s by default.</summary>
    public TimeSpan UnconfiguredWait { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Calls of one pool without an answer at most, 1–16,777,216; 262,144 by default. Beyond it requests are refused.</summary>
    public int MaxOpenCalls { get; init; } = 1 << 18;

    /// <summary>Explained decisions kept here, 1–65,536; 256 by default.</summary>
    public int ExplainedDecisions { get; init; } = 256;

    /// <summary>Settings of the pools, as the silos have them: for choosing without them.</summary>
    public PoolStateOptions Pool { get; init; } = new();

    /// <summary>Decides how ties are broken where the gateway chooses by itself.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>False where the host lets time pass by <see cref="GrainEngine.Keep"/>; true by default.</summary>
    internal bool KeepsTime { get; init; } = true;

    /// <summary>Checks every range.</summary>
    /// <exception cref="ArgumentException">A setting is out of its range.</exception>
    public void Validate()
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(GatewayId);
        Pool.Validate();
        Check(HeartbeatInterval, 10, Math.Min(10_000, Pool.SessionTimeout.TotalMilliseconds / 3), nameof(HeartbeatInterval));
        Check(AskTimeout, 50, 60_000, nameof(AskTimeout));
        Check(SendTimeout, 50, 60_000, nameof(SendTimeout));
        Check(RetryPause, 1, 10_000, nameof(RetryPause));
        Check(FailStaticAfter, 100, 3_600_000, nameof(FailStaticAfter));
        Check(FailStaticFor, 0, 86_400_000, nameof(FailStaticFor));
        Check(UnconfiguredWait, 0, 60_000, nameof(UnconfiguredWait));
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxOpenCalls, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(MaxOpenCalls, 1 << 24);
        ArgumentOutOfRangeException.ThrowIfLessThan(ExplainedDecisions, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(ExplainedDecisions, 65_536);
    }

    private static void Check(TimeSpan value, double leastMs, double mostMs, string name)
    {
        if (value.TotalMilliseconds < leastMs || value.TotalMilliseconds > mostMs)
            throw new ArgumentOutOfRangeException(name, value, $"Between {leastMs} and {mostMs} ms.");
    }
}
