using Mesh.Core.Config;

namespace Mesh.Engine;

/// <summary>Gives every pool a seed of its own that depends on nothing but the engine's seed and the pool's name (FNV-1a).</summary>
internal static class PoolSeed
{
    public static ulong Of(ulong engineSeed, PoolId pool)
    {
        var hash = 14695981039346656037UL ^ engineSeed;
        foreach (var character in pool.ToString()) hash = (hash ^ character) * 1099511628211UL;
        return hash;
    }
}
