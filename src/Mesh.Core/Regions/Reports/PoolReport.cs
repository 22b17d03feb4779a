using System.Collections.Immutable;
using Mesh.Core.Config;

namespace Mesh.Core.Regions.Reports;

/// <summary>One pool's part of a report: what a region's own backends can take, and what it would cost. Immutable.</summary>
public sealed record PoolReport
{
    /// <summary>The pool.</summary>
    public required PoolId Pool { get; init; }

    /// <summary>Epoch of the pool state that made it: with another one the counters begin anew.</summary>
    public long Epoch { get; init; }

    /// <summary>Backends by preference, preferred ones first; at most two, none when the region has no endpoints of the pool.</summary>
    public ImmutableArray<TierReport> Tiers { get; init; } = [];

    /// <summary>Epoch of the receiver's pool state whose requests <see cref="Received"/> counts; 0 when none has come.</summary>
    public long ReceivedEpoch { get; init; }

    /// <summary>
    /// Requests of the receiver that have arrived, refused ones included, since that epoch began. The receiver may have sent up to this and the grants of the
    /// tiers together: a limit that every report sets anew, so that a lost report loses nothing, unused credits lapse, and what is on its way is counted.
    /// </summary>
    public long Received { get; init; }

    /// <summary>
    /// Requests of the receiver that endpoints there work on, where the place of each that ends is the receiver's again: until the next report it may then have up
    /// to this and the grants of the tiers in flight there. Null where a place that comes free is anybody's.
    /// </summary>
    public int? Hosted { get; init; }

    /// <summary>Requests per second that found no room at home in the last second, sent on or not: by it peers divide what they grant.</summary>
    public double OverflowPerSecond { get; init; }

    /// <summary>Requests that wait for room, by priority, highest first; at most eight, lower ones counted with the eighth.</summary>
    public ImmutableArray<WaitingCount> Waiting { get; init; } = [];

    /// <summary>Predicted wait of the least loaded ready endpoint before a prompt begins, in milliseconds, what waits in the pool included; infinite without one.</summary>
    public double MarginalWaitMs { get; init; } = double.PositiveInfinity;

    /// <summary>
    /// Predicted waits of the ready endpoints in eight groups of equal size, the least loaded first, each the group's mean in milliseconds: how the wait rises
    /// with what is sent. Empty without a ready endpoint; fewer groups than eight with fewer endpoints.
    /// </summary>
    public ImmutableArray<float> WaitLadderMs { get; init; } = [];

    /// <summary>What one more stream costs at the least loaded endpoint, in milliseconds, in the terms of the cost model.</summary>
    public double MarginalDecodeMs { get; init; }

    /// <summary>Time that an uncached prompt token takes there, in milliseconds: the mean of the ready endpoints.</summary>
    public double MsPerToken { get; init; }

    /// <summary>Mean predicted wait over all ready endpoints, in milliseconds.</summary>
    public double MeanWaitMs { get; init; }

    /// <summary>
    /// What a prompt of each length of <see cref="PromptLengths"/> would cost, nothing of it being cached, at the endpoint that is best for it. Empty without a ready
    /// endpoint, or from a peer that does not tell.
    /// </summary>
    public ImmutableArray<PromptCost> PromptCosts { get; init; } = [];

    /// <summary>Lengths of prompts, in tokens, that <see cref="PromptCosts"/> is told for.</summary>
    public static ReadOnlySpan<int> PromptLengths => [512, 2048, 8192, 16384, 32768];

    /// <summary>Prompt tokens that the caches there hold together, as far as prompts find them again; 0 when it is not told.</summary>
    public long CacheTokens { get; init; }

    /// <summary>Tokens of prompts and answers that went into those caches since the epoch began: once as many more have as there is room for, nothing of before is left.</summary>
    public long CachedEver { get; init; }

    /// <summary>What flows get here, those that get most, ordered by hash; at most 16. By it their turns are judged over all regions.</summary>
    public ImmutableArray<FlowUsage> Flows { get; init; } = [];

    /// <summary>Models and adapters that every ready endpoint together list, ordered, at most 64; default when some endpoint has not told or there are more.</summary>
    public ImmutableArray<string> Models { get; init; }

    /// <summary>Prompts that endpoints there hold and that many requests begin with, ordered by hash; at most 128.</summary>
    public ImmutableArray<HotPrefix> HotPrefixes { get; init; } = [];
}

/// <summary>Requests of one priority that wait.</summary>
/// <param name="Priority">Priority.</param>
/// <param name="Requests">How many, at least 1.</param>
public readonly record struct WaitingCount(int Priority, int Requests);

/// <summary>What a prompt of one length would cost in a region, weighted by nothing: the receiver weighs it as it weighs its own.</summary>
/// <param name="Ms">Wait, own work with the streams that decode beside it, and what it does to them, in milliseconds.</param>
/// <param name="Pushed">Streams that it would push over their target of time per token.</param>
public readonly record struct PromptCost(float Ms, int Pushed);

/// <summary>A prompt's beginning that is held somewhere in a region.</summary>
/// <param name="Hash">Low 32 bits of the chained hash of its last block.</param>
/// <param name="Blocks">Blocks in it, 1–65,535, by the pool's layout.</param>
public readonly record struct HotPrefix(uint Hash, ushort Blocks) : IComparable<HotPrefix>
{
    /// <inheritdoc/>
    public int CompareTo(HotPrefix other)
    {
        var byHash = Hash.CompareTo(other.Hash);
        return byHash != 0 ? byHash : Blocks.CompareTo(other.Blocks);
    }
}
