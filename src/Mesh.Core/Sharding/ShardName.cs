using System.Globalization;

namespace Mesh.Core.Sharding;

/// <summary>Names by which the shards of a pool know each other: <c>#0</c>, <c>#1</c> and so on, which no region can have.</summary>
public static class ShardName
{
    private static readonly string[] Names = [.. Enumerable.Range(0, ShardMap.Most).Select(i => string.Create(CultureInfo.InvariantCulture, $"#{i}"))];

    /// <summary>Name of a shard.</summary>
    /// <param name="shard">0 to <see cref="ShardMap.Most"/> − 1.</param>
    public static string Of(int shard) => Names[shard];

    /// <summary>The shard that a name names; false for a region's.</summary>
    public static bool TryParse(string? name, out int shard)
    {
        shard = name is { Length: > 1 } ? Array.IndexOf(Names, name) : -1;
        return shard >= 0;
    }
}
