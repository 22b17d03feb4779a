using Mesh.Core.Config;
using Mesh.Core.Sharding;

namespace Mesh.Grains.Pools;

/// <summary>Names of pools' grains.</summary>
internal static class PoolKey
{
    /// <summary>Type of a pool's grain.</summary>
    public const string GrainType = "mesh.pool";

    /// <summary>Key of a shard: the pool's name, and for all but shard 0 <c>#</c> and the number.</summary>
    public static string Of(PoolId pool, int shard) => shard == 0 ? pool.ToString() : $"{pool}{ShardName.Of(shard)}";

    /// <summary>Id of a shard's grain.</summary>
    public static GrainId GrainIdOf(PoolId pool, int shard) => GrainId.Create(GrainType, Of(pool, shard));

    /// <summary>The shard that a key names, 0 without a number.</summary>
    /// <exception cref="FormatException">There can be no such shard.</exception>
    public static int ShardOf(string key)
    {
        var mark = key.LastIndexOf('#');
        if (mark < 0) return 0;
        return ShardName.TryParse(key[mark..], out var shard) ? shard : throw new FormatException($"'{key}' does not end with a shard's number.");
    }

    /// <summary>The pool that a key, <c>namespace/name</c> or <c>namespace/name#shard</c>, names.</summary>
    /// <exception cref="FormatException">It has no slash.</exception>
    public static PoolId Parse(string key)
    {
        if (key.LastIndexOf('#') is >= 0 and var mark) key = key[..mark];
        var slash = key.IndexOf('/');
        return slash < 0 ? throw new FormatException($"'{key}' is not namespace/name.") : new PoolId(key[..slash], key[(slash + 1)..]);
    }
}
