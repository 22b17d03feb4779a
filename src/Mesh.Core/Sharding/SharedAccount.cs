namespace Mesh.Core.Sharding;

/// <summary>
/// Finds the epoch that all shards of a pool send to other regions with, so that those count them together. As long as nothing happens it stays; when a shard begins anew,
/// what it had sent before is not known any more, and all begin an account together. A pool of one shard has the epoch of its state. Not thread-safe.
/// </summary>
public sealed class SharedAccount
{
    private readonly long[] _accounts = new long[ShardMap.Most];
    private readonly long[] _states = new long[ShardMap.Most];

    /// <summary>The epoch that shards are to send with when theirs is lower; 0 before any has been heard.</summary>
    public long Wanted { get; private set; }

    /// <summary>A shard tells how it stands.</summary>
    /// <param name="shard">Its number, 0 to <see cref="ShardMap.Most"/> − 1.</param>
    /// <param name="state">Epoch of its state; 0 when it is not told.</param>
    /// <param name="account">Epoch that it sends with, above 0.</param>
    /// <param name="shards">Shards that there are.</param>
    public void Hear(int shard, long state, long account, int shards)
    {
        // Begun anew, but under an epoch that was used before: the count of it has begun anew, too.
        var isUsed = state != 0 && _states[shard] != 0 && state != _states[shard] && account <= Wanted;
        _accounts[shard] = account;
        if (state != 0) _states[shard] = state;
        var (highest, isOne) = (Wanted, true);
        for (var i = 0; i < shards; i++)
        {
            highest = Math.Max(highest, _accounts[i]);
            // One that has not been heard of will be told.
            isOne &= _accounts[i] == 0 || _accounts[i] == account;
        }

        if (isUsed || (!isOne && highest > Wanted)) Wanted = highest + 1;
        else if (isOne) Wanted = highest;
    }

    /// <summary>There may be fewer shards: what one that is no more has sent since it was heard will never be told.</summary>
    /// <param name="from">The first that is no more.</param>
    public void Forget(int from)
    {
        var hadOne = false;
        for (var i = from; i < ShardMap.Most; i++) hadOne |= _accounts[i] != 0;
        if (hadOne) Wanted++;
        Array.Clear(_accounts, from, ShardMap.Most - from);
        Array.Clear(_states, from, ShardMap.Most - from);
    }
}
