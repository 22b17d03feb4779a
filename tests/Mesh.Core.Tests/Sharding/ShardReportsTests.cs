using Mesh.Core.Config;
using Mesh.Core.Regions.Reports;
using Mesh.Core.Sharding;

namespace Mesh.Core.Tests.Sharding;

/// <summary>The report of a pool that is divided, as other regions get it.</summary>
public sealed class ShardReportsTests
{
    [Fact]
    public void Merge_One_IsThatOne()
    {
        var part = Part(1);
        Assert.Same(part, ShardReports.Merge([part]));
    }

    [Fact]
    public void Merge_Two_RoomAndCountsAreSummed()
    {
        var merged = ShardReports.Merge(
        [
            Part(1, grant: 3, load: 5, target: 8) with { ReceivedEpoch = 9, Received = 4, OverflowPerSecond = 1.5, Waiting = [new(2, 3), new(0, 1)], CacheTokens = 100, CachedEver = 7 },
            Part(2, grant: 4, load: 2, target: 8) with { ReceivedEpoch = 9, Received = 6, OverflowPerSecond = 2, Waiting = [new(1, 2), new(0, 2)], CacheTokens = 50, CachedEver = 1 },
        ]);

        var tier = Assert.Single(merged.Tiers);
        Assert.Equal((4, 4, 16.0, 7.0, 7.0, 7.0), (tier.Endpoints, tier.Healthy, tier.TargetCapacity, tier.Load, tier.Spare, tier.Grant));
        Assert.Equal(7 / 16.0, tier.Fullness!.Value, 4);
        Assert.Equal((10, 9, 3.5, 150, 8), (merged.Received, merged.ReceivedEpoch, merged.OverflowPerSecond, merged.CacheTokens, merged.CachedEver));
        Assert.Equal([new WaitingCount(2, 3), new WaitingCount(1, 2), new WaitingCount(0, 3)], merged.Waiting.AsEnumerable());
    }

    [Fact]
    public void Merge_OneHasHeardOnlyTheAccountBefore_ItsRequestsDoNotCount()
    {
        var merged = ShardReports.Merge([Part(1) with { ReceivedEpoch = 8, Received = 100 }, Part(2) with { ReceivedEpoch = 9, Received = 2 }]);

        Assert.Equal((9, 2), (merged.ReceivedEpoch, merged.Received));
    }

    [Fact]
    public void Merge_ShardBeganAnew_TheEpochIsAnother()
    {
        var before = ShardReports.Merge([Part(1), Part(2)]).Epoch;

        Assert.Equal(before, ShardReports.Merge([Part(1), Part(2)]).Epoch);
        Assert.NotEqual(before, ShardReports.Merge([Part(1), Part(3)]).Epoch);
        Assert.NotEqual(before, ShardReports.Merge([Part(1), Part(2), Part(3)]).Epoch);
        Assert.True(before >= 0);
    }

    [Fact]
    public void Merge_Waits_OneLadderOfAllEndpoints()
    {
        var merged = ShardReports.Merge(
        [
            Part(1, healthy: 8) with { MarginalWaitMs = 10, MarginalDecodeMs = 1, MeanWaitMs = 45, WaitLadderMs = [10, 20, 30, 40, 50, 60, 70, 80] },
            Part(2, healthy: 8) with { MarginalWaitMs = 0, MarginalDecodeMs = 2, MeanWaitMs = 0, WaitLadderMs = [0, 0, 0, 0, 0, 0, 0, 0] },
        ]);

        Assert.Equal((0.0, 2.0, 22.5), (merged.MarginalWaitMs, merged.MarginalDecodeMs, merged.MeanWaitMs));
        Assert.Equal([0f, 0, 0, 0, 15, 35, 55, 75], merged.WaitLadderMs.AsEnumerable());
    }

    [Fact]
    public void Merge_SmallAndLargeShard_GroupsWeighAsManyEndpoints()
    {
        var merged = ShardReports.Merge(
        [
            Part(1, healthy: 1) with { WaitLadderMs = [100] },
            Part(2, healthy: 7) with { WaitLadderMs = [0, 0, 0, 0, 0, 0, 0] },
        ]);

        Assert.Equal([0f, 0, 0, 0, 0, 0, 0, 100], merged.WaitLadderMs.AsEnumerable());
    }

    [Fact]
    public void Merge_OneWithoutReadyEndpoint_SaysNothingOfCosts()
    {
        var merged = ShardReports.Merge(
        [
            Part(1, healthy: 0) with { MarginalWaitMs = double.PositiveInfinity, WaitLadderMs = [], MsPerToken = 0 },
            Part(2) with { MarginalWaitMs = 5, MsPerToken = 0.2, PromptCosts = [new(10, 1), new(20, 2)] },
        ]);

        Assert.Equal((5.0, 0.2), (merged.MarginalWaitMs, merged.MsPerToken));
        Assert.Equal([new PromptCost(10, 1), new PromptCost(20, 2)], merged.PromptCosts.AsEnumerable());
    }

    [Fact]
    public void Merge_PromptCosts_EachLengthWhereItIsCheapest()
    {
        var merged = ShardReports.Merge([Part(1) with { PromptCosts = [new(10, 1), new(50, 2)] }, Part(2) with { PromptCosts = [new(20, 0), new(40, 0)] }]);

        Assert.Equal([new PromptCost(10, 1), new PromptCost(40, 0)], merged.PromptCosts.AsEnumerable());
    }

    [Fact]
    public void Merge_FlowsModelsAndPrompts_AreThoseOfAll()
    {
        var merged = ShardReports.Merge(
        [
            Part(1) with { Flows = [new(1, 2), new(5, 1)], Models = ["a", "b"], HotPrefixes = [new(7, 1)] },
            Part(2) with { Flows = [new(5, 3)], Models = ["b", "c"], HotPrefixes = [new(3, 2), new(7, 1)] },
        ]);

        Assert.Equal([new FlowUsage(1, 2), new FlowUsage(5, 4)], merged.Flows.AsEnumerable());
        Assert.Equal(["a", "b", "c"], merged.Models.AsEnumerable());
        Assert.Equal([new HotPrefix(3, 2), new HotPrefix(7, 1)], merged.HotPrefixes.AsEnumerable());
        Assert.True(ShardReports.Merge([Part(1) with { Models = ["a"] }, Part(2) with { Models = default }]).Models.IsDefault);
    }

    [Fact]
    public void Merge_SixteenShards_StaysWithinWhatAReportMayBring()
    {
        var parts = Enumerable.Range(0, 16).Select(s => Part(s + 1) with
        {
            HotPrefixes = [.. Enumerable.Range(0, 16).Select(i => new HotPrefix((uint)(s * 16 + i), 1))],
            Flows = [.. Enumerable.Range(0, 16).Select(i => new FlowUsage((uint)(s * 16 + i), i))],
            Waiting = [.. Enumerable.Range(0, 8).Select(i => new WaitingCount(s - i, 1))],
            Models = [.. Enumerable.Range(0, 8).Select(i => $"m{s:00}{i}")],
        }).ToArray();

        var merged = ShardReports.Merge(parts);

        Assert.Equal((128, 16, 8), (merged.HotPrefixes.Length, merged.Flows.Length, merged.Waiting.Length));
        Assert.Equal(16 * 8, merged.Waiting.Sum(w => w.Requests));
        Assert.True(merged.Models.IsDefault);
        // In turn: no shard's prompts are left out for another's.
        Assert.All(Enumerable.Range(0, 16), s => Assert.Contains(merged.HotPrefixes, p => p.Hash / 16 == s));
    }

    private static PoolReport Part(long epoch, double grant = 0, double load = 0, double? target = null, int healthy = 2) => new()
    {
        Pool = new PoolId("default", "pool"),
        Epoch = epoch,
        Tiers = [new TierReport(BackendPreference.Default, 2, healthy) { TargetCapacity = target, Load = load, Fullness = load / target, Spare = grant, Grant = grant }],
        MarginalWaitMs = 0,
        WaitLadderMs = [0, 0],
        Models = ["a"],
    };
}
