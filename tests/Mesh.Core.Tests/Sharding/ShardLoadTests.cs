using Mesh.Core.Sharding;

namespace Mesh.Core.Tests.Sharding;

/// <summary>Which of the shards a prompt goes to.</summary>
public sealed class ShardLoadTests
{
    private static readonly ShardMap Map = new(1, 4, 4);

    [Fact]
    public void Choose_LoadsAlike_First() => Assert.Equal(Map.CandidatesFor(42).First, Choose([new(10, 10), new(10, 10), new(10, 10), new(10, 10)]));

    [Fact]
    public void Choose_FirstALittleFuller_StaysFirst()
    {
        var loads = Loads(10, 10);
        loads[Map.CandidatesFor(42).First] = new ShardLoad(34, 10);

        // 3.4 requests for each endpoint, beside 1: not above 1.5 · 1 + 2.
        Assert.Equal(Map.CandidatesFor(42).First, Choose(loads));
    }

    [Fact]
    public void Choose_FirstMuchFuller_Second()
    {
        var loads = Loads(10, 10);
        loads[Map.CandidatesFor(42).First] = new ShardLoad(36, 10);

        Assert.Equal(Map.CandidatesFor(42).Second, Choose(loads));
    }

    [Fact]
    public void Choose_BothMuchFullerThanAThird_TheEmptiest()
    {
        var loads = Loads(10, 10);
        loads[Map.CandidatesFor(42).First] = new ShardLoad(100, 10);
        loads[Map.CandidatesFor(42).Second] = new ShardLoad(100, 10);
        var other = Enumerable.Range(0, 4).First(i => i != Map.CandidatesFor(42).First && i != Map.CandidatesFor(42).Second);
        loads[other] = new ShardLoad(0, 10);

        Assert.Equal(other, Choose(loads));
    }

    [Fact]
    public void Choose_FirstWithoutEndpoints_Second()
    {
        var loads = Loads(500, 10);
        loads[Map.CandidatesFor(42).First] = new ShardLoad(0, 0);

        Assert.Equal(Map.CandidatesFor(42).Second, Choose(loads));
    }

    [Fact]
    public void Choose_NobodyHasEndpoints_First() => Assert.Equal(Map.CandidatesFor(42).First, Choose(Loads(0, 0)));

    [Fact]
    public void Choose_ShardsOfDifferentSize_GoesByRequestsForEachEndpoint()
    {
        var loads = Loads(100, 100);
        loads[Map.CandidatesFor(42).First] = new ShardLoad(12, 3);

        Assert.Equal(Map.CandidatesFor(42).Second, Choose(loads));
    }

    private static ShardLoad[] Loads(double requests, int endpoints) => [.. Enumerable.Repeat(new ShardLoad(requests, endpoints), 4)];

    private static int Choose(ShardLoad[] loads) => ShardLoad.Choose(Map, 42, loads);
}
