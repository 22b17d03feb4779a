using Mesh.Core.Endpoints;
using Mesh.Core.Sharding;

namespace Mesh.Core.Tests.Sharding;

/// <summary>At no time may two shards place requests on one endpoint.</summary>
public sealed class ShardOwnershipTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private static readonly EndpointId[] Endpoints = [.. Enumerable.Range(0, 200).Select(PoolFixture.Id)];

    [Fact]
    public void Owns_Undivided_ShardZeroHasAll_OthersHaveNothing()
    {
        Assert.All(Endpoints, e => Assert.True(new ShardOwnership(0, Patience).Owns(e)));
        var other = new ShardOwnership(1, Patience);
        Assert.True(other.IsRetired);
        Assert.All(Endpoints, e => Assert.False(other.Owns(e)));
    }

    [Fact]
    public void TryAdopt_Split_OldOwnerGivesUpAtOnce_NewOneWaitsForTheHandover()
    {
        var map = ShardMap.Undivided.Next(2, 1);
        var (old, young) = (new ShardOwnership(0, Patience), new ShardOwnership(1, Patience));

        Assert.True(old.TryAdopt(map, TimeSpan.Zero));
        Assert.True(young.TryAdopt(map, TimeSpan.Zero));
        Assert.All(Endpoints, e => Assert.Equal(map.OwnerOf(e) == 0, old.Owns(e)));
        Assert.All(Endpoints, e => Assert.False(young.Owns(e)));

        Assert.True(young.TryTake(from: 0, map.Version));
        Assert.All(Endpoints, e => Assert.Equal(map.OwnerOf(e) == 1, young.Owns(e)));
    }

    [Fact]
    public void TryAdopt_Join_EndedShardHasNothing_OthersTakeFromEachThatHandsOver()
    {
        var four = new ShardMap(10, 4, 4);
        var map = four.Next(2, 0);
        var ended = new ShardOwnership(3, Patience);
        var left = new ShardOwnership(0, Patience);
        ended.TryAdopt(four, TimeSpan.Zero);
        left.TryAdopt(four, TimeSpan.Zero);

        ended.TryAdopt(map, TimeSpan.Zero);
        left.TryAdopt(map, TimeSpan.Zero);

        Assert.True(ended.IsRetired);
        Assert.All(Endpoints, e => Assert.False(ended.Owns(e)));
        left.TryTake(3, map.Version);
        Assert.All(Endpoints.Where(e => map.OwnerOf(e) == 0), e => Assert.Equal(four.OwnerOf(e) is 0 or 3, left.Owns(e)));
    }

    [Fact]
    public void Tick_FormerOwnerIsSilent_OpensAfterItsPatience_Once()
    {
        var map = ShardMap.Undivided.Next(2, 1);
        var young = new ShardOwnership(1, Patience);
        young.TryAdopt(map, TimeSpan.FromSeconds(10));

        Assert.False(young.Tick(TimeSpan.FromSeconds(11.9)));
        Assert.True(young.IsAwaiting);
        Assert.True(young.Tick(TimeSpan.FromSeconds(12)));
        Assert.False(young.Tick(TimeSpan.FromSeconds(13)));
        Assert.All(Endpoints, e => Assert.Equal(map.OwnerOf(e) == 1, young.Owns(e)));
    }

    [Fact]
    public void TryTake_HandoverOfAnotherMap_IsNotTaken()
    {
        var map = ShardMap.Undivided.Next(2, 5);
        var young = new ShardOwnership(1, Patience);
        young.TryAdopt(map, TimeSpan.Zero);

        Assert.False(young.TryTake(0, map.Version - 1));
        Assert.False(young.TryTake(0, map.Version + 1));
        Assert.All(Endpoints, e => Assert.False(young.Owns(e)));
    }

    [Fact]
    public void TryAdopt_OlderSameOrInvalidMap_HasNoEffect()
    {
        var ownership = new ShardOwnership(0, Patience);
        Assert.True(ownership.TryAdopt(new ShardMap(5, 2, 1), TimeSpan.Zero));

        Assert.False(ownership.TryAdopt(new ShardMap(5, 3, 2), TimeSpan.Zero));
        Assert.False(ownership.TryAdopt(new ShardMap(4, 3, 2), TimeSpan.Zero));
        Assert.False(ownership.TryAdopt(new ShardMap(9, 0, 2), TimeSpan.Zero));
        Assert.False(ownership.TryAdopt(new ShardMap(9, 17, 2), TimeSpan.Zero));
        Assert.Equal(2, ownership.Map.Count);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Owns_MapsAndHandoversInAnyOrder_NeverTwoAtATime(int seed)
    {
        // Every shard hears of every map at a time of its own, and a handover is sent when its sender hears and comes at any time after that.
        var random = new Randomness.Xoshiro256((ulong)seed);
        var shards = Enumerable.Range(0, 6).Select(i => new ShardOwnership(i, TimeSpan.FromDays(1))).ToArray();
        var maps = new List<ShardMap> { ShardMap.Undivided };
        var handovers = new List<(int From, ShardMap Map)>();
        for (var step = 0; step < 4000; step++)
        {
            if (random.NextUInt64() % 200 == 0 && shards.All(s => s.Map == maps[^1] || s.IsRetired) && handovers.Count == 0) maps.Add(maps[^1].Next(1 + (int)(random.NextUInt64() % 6), 0));
            var shard = shards[random.NextUInt64() % 6];
            if (shard.TryAdopt(maps[^1], TimeSpan.Zero)) handovers.Add((shard.Shard, shard.Map));
            if (handovers.Count > 0 && random.NextUInt64() % 3 == 0)
            {
                var i = (int)(random.NextUInt64() % (ulong)handovers.Count);
                foreach (var receiver in shards)
                {
                    receiver.TryAdopt(handovers[i].Map, TimeSpan.Zero);
                    if (receiver.Shard != handovers[i].From) receiver.TryTake(handovers[i].From, handovers[i].Map.Version);
                }
                handovers.RemoveAt(i);
            }
            foreach (var endpoint in Endpoints.AsSpan(0, 40)) Assert.True(shards.Count(s => s.Owns(endpoint)) <= 1, $"seed {seed}, step {step}, {endpoint}");
        }
        Assert.True(maps.Count > 3, "the map has changed");
    }
}
