using Mesh.Core.FlowControl;
using Mesh.Core.Randomness;
using Mesh.Core.Scheduling;

namespace Mesh.Simulation.Faults.Script;

/// <summary>Size, policy and misfortunes of one fault world; all follow from its seed, unless a script says what breaks.</summary>
internal sealed record FaultPlan
{
    /// <summary>Decides everything random.</summary>
    public required ulong Seed { get; init; }

    /// <summary>Regions, each with its own pool state that serves its gateways and knows all endpoints.</summary>
    public required int Regions { get; init; }

    /// <summary>Gateways of each region.</summary>
    public required int GatewaysPerRegion { get; init; }

    /// <summary>Endpoints of each region.</summary>
    public required int EndpointsPerRegion { get; init; }

    /// <summary>Pools that the endpoints are dealt out to, each with its own state in every region: the weights of the route that names them, 0 and more.</summary>
    public required IReadOnlyList<int> PoolWeights { get; init; }

    /// <summary>Models of each pool, of which every endpoint lists some; 0: nobody tells, and no request names one.</summary>
    public required int Models { get; init; }

    /// <summary>Target of new requests per second and endpoint; null for none. Not beside <see cref="MaxInFlight"/>.</summary>
    public required double? MaxRate { get; init; }

    /// <summary>Time in which clients come, in ms.</summary>
    public required double DurationMs { get; init; }

    /// <summary>Requests per second over all gateways.</summary>
    public required double RequestsPerSecond { get; init; }

    /// <summary>Share of clients that leave early, 0–1.</summary>
    public required double LeavingShare { get; init; }

    /// <summary>Scheduling profile.</summary>
    public required string Profile { get; init; }

    /// <summary>Late binding's limit; null binds early.</summary>
    public required TimeSpan? BindAhead { get; init; }

    /// <summary>What happens in a full pool.</summary>
    public required FlowControlSettings FlowControl { get; init; }

    /// <summary>Target of concurrent requests per endpoint; null for none.</summary>
    public required int? MaxInFlight { get; init; }

    /// <summary>Whether a backend that is mostly down is drained.</summary>
    public required bool AutoCapacityDrain { get; init; }

    /// <summary>Whole-request time-out.</summary>
    public required TimeSpan Timeout { get; init; }

    /// <summary>Time-out of one attempt; null for none.</summary>
    public required TimeSpan? AttemptTimeout { get; init; }

    /// <summary>How long an answer of a removed endpoint may go on; null: as long as it takes.</summary>
    public required TimeSpan? DrainingLimit { get; init; }

    /// <summary>Silence after which a session's leases return.</summary>
    public required TimeSpan SessionTimeout { get; init; }

    /// <summary>Leases that a pool state may have.</summary>
    public required int MaxLeases { get; init; }

    /// <summary>Requests that an endpoint queues before it answers 503.</summary>
    public required int EndpointQueueLimit { get; init; }

    /// <summary>Share of messages that are delayed as if their packet were lost, 0–1.</summary>
    public required double LossShare { get; init; }

    /// <summary>Share of notices to the pool that arrive twice, 0–1.</summary>
    public required double DuplicateShare { get; init; }

    /// <summary>What breaks, in order of time.</summary>
    public required IReadOnlyList<Fault> Faults { get; init; }

    /// <summary>The world of a seed.</summary>
    /// <param name="seed">Any number.</param>
    /// <param name="script">What breaks instead of what the seed says; null for the seed's.</param>
    public static FaultPlan Of(ulong seed, IReadOnlyList<Fault>? script = null)
    {
        var random = new Xoshiro256(seed);
        var pools = new Xoshiro256(seed ^ 0x706F6F6C73);
        var maxRate = pools.NextInt32(3) == 0 ? 0.5 + pools.NextInt32(20) : (double?)null;
        var durationMs = 4000.0 + random.NextInt32(8000);
        return new FaultPlan
        {
            Seed = seed,
            Regions = 1 + random.NextInt32(3),
            GatewaysPerRegion = 1 + random.NextInt32(3),
            EndpointsPerRegion = 1 + random.NextInt32(4),
            PoolWeights = [.. Enumerable.Range(0, 1 + pools.NextInt32(3)).Select(p => p == 0 ? 3 : pools.NextInt32(4))],
            Models = pools.NextInt32(2) == 0 ? 0 : 1 + pools.NextInt32(3),
            MaxRate = maxRate,
            DurationMs = durationMs,
            RequestsPerSecond = 5 + random.NextInt32(40),
            LeavingShare = random.NextInt32(4) * 0.1,
            Profile = random.NextInt32(4) switch { 0 => ProfileNames.LeastRequest, 1 => ProfileNames.EppDefault, _ => ProfileNames.Mesh },
            BindAhead = random.NextInt32(3) == 0 ? null : TimeSpan.FromMilliseconds(20 + random.NextInt32(100)),
            FlowControl = new FlowControlSettings
            {
                WhenFull = (WhenFull)random.NextInt32(3),
                MaxWaitingRequests = 1 + random.NextInt32(60),
                MaxWait = TimeSpan.FromMilliseconds(500 + random.NextInt32(8000)),
                Order = (QueueOrder)random.NextInt32(2),
            },
            MaxInFlight = random.NextInt32(3) == 0 || maxRate is not null ? null : 1 + random.NextInt32(6),
            AutoCapacityDrain = random.NextInt32(4) == 0,
            Timeout = TimeSpan.FromMilliseconds(3000 + random.NextInt32(12_000)),
            AttemptTimeout = random.NextInt32(2) == 0 ? null : TimeSpan.FromMilliseconds(1000 + random.NextInt32(5000)),
            DrainingLimit = random.NextInt32(2) == 0 ? null : TimeSpan.FromMilliseconds(random.NextInt32(2000)),
            SessionTimeout = TimeSpan.FromMilliseconds(1000 + random.NextInt32(3000)),
            MaxLeases = random.NextInt32(8) == 0 ? 4 + random.NextInt32(20) : 4096,
            EndpointQueueLimit = random.NextInt32(3) == 0 ? 1 + random.NextInt32(4) : 1000,
            LossShare = random.NextInt32(3) * 0.02,
            DuplicateShare = random.NextInt32(3) * 0.05,
            Faults = script ?? Misfortunes(random, durationMs),
        };
    }

    private static List<Fault> Misfortunes(Xoshiro256 random, double durationMs)
    {
        var kinds = Enum.GetValues<FaultKind>();
        List<Fault> faults = [];
        for (var i = 1 + random.NextInt32(12); i > 0; i--)
        {
            faults.Add(new Fault(
                500 + (random.NextDouble() * durationMs), kinds[random.NextInt32(kinds.Length)], random.NextInt32(12), 50 + (random.NextDouble() * random.NextDouble() * 8000)));
        }

        return [.. faults.OrderBy(f => f.AtMs)];
    }
}
