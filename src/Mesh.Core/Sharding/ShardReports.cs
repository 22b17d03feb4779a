using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.Regions.Peers;
using Mesh.Core.Regions.Reporting;
using Mesh.Core.Regions.Reports;

namespace Mesh.Core.Sharding;

/// <summary>The parts of a pool's shards in the report to a peer region as one part: the region need not know that there are shards.</summary>
public static class ShardReports
{
    private const int MostPriorities = 8;
    private const int MostModels = 64;

    /// <summary>Adds the shards' parts up.</summary>
    /// <param name="parts">One for each shard that is heard, by number; at least one. All for the same receiver.</param>
    public static PoolReport Merge(IReadOnlyList<PoolReport> parts)
    {
        ArgumentNullException.ThrowIfNull(parts);
        if (parts.Count == 1) return parts[0];
        // A shard without a ready endpoint has nothing to say of costs.
        var ready = parts.Where(p => double.IsFinite(p.MarginalWaitMs)).ToArray();
        var best = ready.MinBy(p => p.MarginalWaitMs);
        var receivedEpoch = parts.Max(p => p.ReceivedEpoch);
        return parts[0] with
        {
            Epoch = EpochOf(parts),
            Tiers = [.. parts.SelectMany(p => p.Tiers).GroupBy(t => t.Preference).OrderBy(g => g.Key == BackendPreference.Preferred ? 0 : 1).Select(g => Merge([.. g]))],
            ReceivedEpoch = receivedEpoch,
            Received = parts.Where(p => p.ReceivedEpoch == receivedEpoch).Sum(p => p.Received),
            // Places are kept where all shards keep them.
            Hosted = parts.All(p => p.Hosted is not null) ? parts.Sum(p => p.Hosted) : null,
            OverflowPerSecond = Math.Round(parts.Sum(p => p.OverflowPerSecond), 1),
            Waiting = Waiting(parts),
            MarginalWaitMs = best?.MarginalWaitMs ?? double.PositiveInfinity,
            WaitLadderMs = Ladder(ready),
            MarginalDecodeMs = best?.MarginalDecodeMs ?? 0,
            MsPerToken = Math.Round(Mean(ready, static p => p.MsPerToken), 5),
            MeanWaitMs = Math.Round(Mean(ready, static p => p.MeanWaitMs), 1),
            PromptCosts = Costs(ready),
            CacheTokens = parts.Sum(p => p.CacheTokens),
            CachedEver = parts.Sum(p => p.CachedEver),
            Flows = Flows(parts),
            Models = Models(parts),
            HotPrefixes = Digest(parts),
        };
    }

    /// <summary>Healthy endpoints of a part.</summary>
    private static int Healthy(PoolReport part)
    {
        var healthy = 0;
        foreach (var tier in part.Tiers) healthy += tier.Healthy;
        return healthy;
    }

    // Another one whenever a shard begins anew, comes or goes: the sums begin anew, too. Readers compare it with what it was, and nothing else.
    private static long EpochOf(IReadOnlyList<PoolReport> parts)
    {
        var hash = 14695981039346656037UL;
        foreach (var part in parts) hash = (hash ^ (ulong)part.Epoch) * 1099511628211UL;
        return (long)(hash >> 1);
    }

    private static TierReport Merge(TierReport[] tiers)
    {
        var serving = tiers.Where(t => t.Healthy > 0).ToArray();
        var (target, load) = (serving.Sum(t => t.TargetCapacity ?? 0), Math.Round(tiers.Sum(t => t.Load), 2));
        var hasTarget = target > 0 && Array.TrueForAll(serving, t => t.TargetCapacity is not null);
        return new TierReport(tiers[0].Preference, tiers.Sum(t => t.Endpoints), tiers.Sum(t => t.Healthy))
        {
            TargetCapacity = hasTarget ? Math.Round(target, 3) : null,
            IsRate = tiers.Any(t => t.IsRate),
            Load = load,
            Fullness = hasTarget ? Math.Round(load / target, 4) : Fullness(serving),
            Spare = Math.Round(tiers.Sum(t => t.Spare), 1),
            Grant = tiers.Sum(t => t.Grant),
        };
    }

    // A utilization: each part weighs as much as it has endpoints.
    private static double? Fullness(TierReport[] serving)
    {
        var known = serving.Where(t => t.Fullness is not null).ToArray();
        return known.Length == 0 ? null : Math.Round(known.Sum(t => t.Fullness!.Value * t.Healthy) / known.Sum(t => t.Healthy), 4);
    }

    private static ImmutableArray<WaitingCount> Waiting(IReadOnlyList<PoolReport> parts)
    {
        var counts = parts.SelectMany(p => p.Waiting).GroupBy(w => w.Priority).OrderByDescending(g => g.Key).Select(g => new WaitingCount(g.Key, g.Sum(w => w.Requests))).ToList();
        while (counts.Count > MostPriorities)
        {
            counts[^2] = counts[^2] with { Requests = counts[^2].Requests + counts[^1].Requests };
            counts.RemoveAt(counts.Count - 1);
        }

        return [.. counts];
    }

    // Each shard's groups stand for as many endpoints as it has divided by their number; ordered anew, and divided into as many groups of one size.
    private static ImmutableArray<float> Ladder(PoolReport[] ready)
    {
        var steps = new List<(float Wait, double Weight)>();
        foreach (var part in ready)
        {
            if (part.WaitLadderMs.IsDefaultOrEmpty) continue;
            var weight = Math.Max(1, Healthy(part)) / (double)part.WaitLadderMs.Length;
            foreach (var wait in part.WaitLadderMs) steps.Add((wait, weight));
        }

        steps.Sort(static (a, b) => a.Wait.CompareTo(b.Wait));
        var groups = Math.Min(WaitLadder.MostSteps, steps.Count);
        if (groups == 0) return [];
        var size = steps.Sum(s => s.Weight) / groups;
        var ladder = ImmutableArray.CreateBuilder<float>(groups);
        var (at, left) = (0, steps[0].Weight);
        for (var group = 0; group < groups; group++)
        {
            var (sum, missing) = (0.0, size);
            while (missing > 1e-9)
            {
                var taken = Math.Min(missing, left);
                (sum, missing, left) = (sum + taken * steps[at].Wait, missing - taken, left - taken);
                if (left > 1e-9) continue;
                if (at + 1 == steps.Count) break;
                left = steps[++at].Weight;
            }

            ladder.Add((float)Math.Round(sum / Math.Max(1e-9, size - missing), 1));
        }

        return ladder.MoveToImmutable();
    }

    // A prompt goes where it costs least, and that is known for each length.
    private static ImmutableArray<PromptCost> Costs(PoolReport[] ready)
    {
        var told = ready.Where(p => !p.PromptCosts.IsDefaultOrEmpty).ToArray();
        if (told.Length == 0) return [];
        var lengths = told.Min(p => p.PromptCosts.Length);
        return [.. Enumerable.Range(0, lengths).Select(i => told.Select(p => p.PromptCosts[i]).OrderBy(c => c.Ms).ThenBy(c => c.Pushed).First())];
    }

    private static ImmutableArray<FlowUsage> Flows(IReadOnlyList<PoolReport> parts) =>
    [
        .. parts.SelectMany(p => p.Flows).GroupBy(f => f.Flow).Select(g => new FlowUsage(g.Key, g.Sum(f => f.PerSecond)))
            .OrderByDescending(f => f.PerSecond).ThenBy(f => f.Flow).Take(FlowMeter.Most).OrderBy(f => f.Flow),
    ];

    private static ImmutableArray<string> Models(IReadOnlyList<PoolReport> parts)
    {
        var names = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var part in parts)
        {
            if (part.Tiers.All(t => t.Endpoints == 0)) continue;
            if (part.Models.IsDefault) return default;
            names.UnionWith(part.Models);
        }

        return names.Count > MostModels ? default : [.. names];
    }

    // Each shard tells its share of what a report may bring. In turn, should they be more all the same.
    private static ImmutableArray<HotPrefix> Digest(IReadOnlyList<PoolReport> parts)
    {
        var kept = new SortedSet<HotPrefix>();
        var longest = parts.Max(p => p.HotPrefixes.Length);
        for (var i = 0; i < longest && kept.Count < HotPrefixSet.Most; i++)
        {
            foreach (var part in parts)
            {
                if (i < part.HotPrefixes.Length && kept.Count < HotPrefixSet.Most) kept.Add(part.HotPrefixes[i]);
            }
        }

        return [.. kept];
    }

    private static double Mean(PoolReport[] ready, Func<PoolReport, double> figure)
    {
        var weight = ready.Sum(p => Math.Max(1, Healthy(p)));
        return weight == 0 ? 0 : ready.Sum(p => figure(p) * Math.Max(1, Healthy(p))) / weight;
    }
}
