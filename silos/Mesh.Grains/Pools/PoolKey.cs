using Mesh.Core.Config;

namespace Mesh.Grains.Pools;

/// <summary>Names of pools' grains.</summary>
internal static class PoolKey
{
    /// <summary>Type of a pool's grain.</summary>
    public const string GrainType = "mesh.pool";

    /// <summary>The pool that a key, <c>namespace/name</c>, names.</summary>
    /// <exception cref="FormatException">It has no slash.</exception>
    public static PoolId Parse(string key)
    {
        var slash = key.IndexOf('/');
        return slash < 0 ? throw new FormatException($"'{key}' is not namespace/name.") : new PoolId(key[..slash], key[(slash + 1)..]);
    }
}
