using Mesh.Core.Sharding;

namespace Mesh.Core.Tests.Sharding;

/// <summary>The epoch that the shards of a pool have in common towards other regions.</summary>
public sealed class SharedAccountTests
{
    private readonly SharedAccount _account = new();

    [Fact]
    public void Hear_OneShard_ItsOwn()
    {
        _account.Hear(0, state: 16, account: 16, shards: 1);
        Assert.Equal(16, _account.Wanted);
        _account.Hear(0, state: 32, account: 32, shards: 1);
        Assert.Equal(32, _account.Wanted);
    }

    [Fact]
    public void Hear_PoolIsSplit_AllBeginAnAccountTogether()
    {
        _account.Hear(0, 16, 16, shards: 1);
        _account.Hear(1, 33, 33, shards: 2);

        Assert.Equal(34, _account.Wanted);
        _account.Hear(0, 16, 34, shards: 2);
        _account.Hear(1, 33, 34, shards: 2);
        Assert.Equal(34, _account.Wanted);
    }

    [Fact]
    public void Hear_AskedButNotYetThere_StaysAsItIs()
    {
        _account.Hear(0, 16, 16, shards: 2);
        _account.Hear(1, 17, 17, shards: 2);
        _account.Hear(0, 16, 16, shards: 2);
        _account.Hear(1, 17, 17, shards: 2);

        Assert.Equal(18, _account.Wanted);
    }

    [Fact]
    public void Hear_ShardBeganAnew_AllDo()
    {
        Agree(18);

        _account.Hear(1, state: 49, account: 49, shards: 2);
        Assert.Equal(50, _account.Wanted);
    }

    [Fact]
    public void Hear_ShardBeganAnewUnderTheSameAccount_AllBeginAnother()
    {
        Agree(64);

        // Its silo's clock is behind: its own epoch is lower, and it has taken the one in force.
        _account.Hear(1, state: 49, account: 64, shards: 2);
        Assert.Equal(65, _account.Wanted);
    }

    [Fact]
    public void Hear_NewToAllOfThem_GoesOnWithTheirs()
    {
        var next = new SharedAccount();
        next.Hear(0, 16, 18, shards: 2);
        next.Hear(1, 17, 18, shards: 2);

        Assert.Equal(18, next.Wanted);
    }

    [Fact]
    public void Forget_ShardThatWasHeard_AnotherAccountBegins()
    {
        Agree(18);

        _account.Forget(from: 2);
        Assert.Equal(18, _account.Wanted);
        _account.Forget(from: 1);
        Assert.Equal(19, _account.Wanted);
    }

    private void Agree(long account)
    {
        _account.Hear(0, 16, account, shards: 2);
        _account.Hear(1, 17, account, shards: 2);
        Assert.Equal(account, _account.Wanted);
    }
}
