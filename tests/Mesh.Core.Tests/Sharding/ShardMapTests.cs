using Mesh.Core.Endpoints;
using Mesh.Core.Sharding;

namespace Mesh.Core.Tests.Sharding;

/// <summary>Whose an endpoint is, and which shards a prompt looks at.</summary>
public sealed class ShardMapTests
{
    private static readonly EndpointId[] Endpoints = [.. Enumerable.Range(0, 4000).Select(i => new EndpointId($"10.1.{i / 250}.{i % 250}:8000"))];

    [Fact]
    public void OwnerOf_Undivided_IsShardZero() => Assert.All(Endpoints, e => Assert.Equal(0, ShardMap.Undivided.OwnerOf(e)));

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(8)]
    [InlineData(16)]
    public void OwnerOf_ManyEndpoints_SpreadEvenly(int count)
    {
        var map = new ShardMap(1, count, count);

        var sizes = Endpoints.GroupBy(map.OwnerOf).Select(g => g.Count()).ToArray();

        Assert.Equal(count, sizes.Length);
        // Six standard deviations of a fair spread.
        var (mean, most) = (4000.0 / count, 6 * Math.Sqrt(4000.0 / count));
        Assert.All(sizes, s => Assert.InRange(s, mean - most, mean + most));
    }

    [Fact]
    public void OwnerOf_OneShardMore_EndpointsMoveToTheNewOneAlone()
    {
        for (var count = 1; count < ShardMap.Most; count++)
        {
            var map = new ShardMap(2, count + 1, count);
            var moved = Endpoints.Where(e => map.OwnerOf(e) != map.OwnerBefore(e)).ToArray();

            Assert.All(moved, e => Assert.Equal(count, map.OwnerOf(e)));
            Assert.InRange(moved.Length, 4000 / (count + 1) / 2, 4000 / (count + 1) * 2);
        }
    }

    [Fact]
    public void OwnerOf_KnownAddresses_IsTheSameOnEveryMachineAndVersion()
    {
        var map = new ShardMap(1, 4, 4);

        // Whoever changes these lets two versions of a silo place requests on one endpoint side by side.
        Assert.Equal("00303", string.Concat(Enumerable.Range(0, 5).Select(i => map.OwnerOf(new EndpointId($"10.0.0.{i}:8000")))));
    }

    [Fact]
    public void CandidatesFor_Keys_AreTwoDifferentShards_AndSpreadEvenly()
    {
        var map = new ShardMap(1, 5, 5);
        var first = new int[5];
        var second = new int[5];
        for (var key = 0UL; key < 5000; key++)
        {
            var (a, b) = map.CandidatesFor(key);
            Assert.NotEqual(a, b);
            first[a]++;
            second[b]++;
        }

        Assert.All(first, n => Assert.InRange(n, 850, 1150));
        Assert.All(second, n => Assert.InRange(n, 850, 1150));
    }

    [Fact]
    public void CandidatesFor_OneShardMore_FirstChangesToTheNewOneAlone()
    {
        for (var key = 0UL; key < 2000; key++)
        {
            var before = new ShardMap(1, 4, 4).CandidatesFor(key).First;
            var after = new ShardMap(2, 5, 4).CandidatesFor(key).First;
            Assert.True(after == before || after == 4, $"key {key}: {before} became {after}");
        }
    }

    [Fact]
    public void Next_LaterActivation_HasTheHigherVersion()
    {
        var first = ShardMap.Undivided.Next(2, atLeast: 100);
        var settled = first.Next(2, atLeast: 100);

        Assert.Equal(new ShardMap(100, 2, 1), first);
        Assert.True(first.IsMoving);
        Assert.Equal(new ShardMap(101, 2, 2), settled);
        Assert.False(settled.IsMoving);
        Assert.Throws<ArgumentOutOfRangeException>(() => first.Next(17, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => first.Next(0, 0));
    }

    [Theory]
    [InlineData("#0", true, 0)]
    [InlineData("#15", true, 15)]
    [InlineData("#16", false, -1)]
    [InlineData("europe-west3", false, -1)]
    [InlineData("", false, -1)]
    [InlineData(null, false, -1)]
    public void TryParse_Names(string? name, bool isShard, int shard)
    {
        Assert.Equal(isShard, ShardName.TryParse(name, out var parsed));
        Assert.Equal(shard, parsed);
        if (isShard) Assert.Equal(name, ShardName.Of(shard));
    }
}
