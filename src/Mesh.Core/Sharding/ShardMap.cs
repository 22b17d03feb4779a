using System.Runtime.InteropServices;
using Mesh.Core.Endpoints;
using Mesh.Core.PrefixCache;

namespace Mesh.Core.Sharding;

/// <summary>
/// How a pool is divided: each endpoint belongs to exactly one shard, by nothing but its address and the number of shards, so that everybody who knows the
/// number knows the owner. When the number changes by one, one part in <see cref="Count"/> of the endpoints moves, and only to or from the last shard. Immutable.
/// </summary>
/// <param name="Version">Rises with every map: of two the higher counts. 0 for a pool that has never been divided.</param>
/// <param name="Count">Shards, 1–<see cref="Most"/>; shard 0 is the one that decides on the number.</param>
/// <param name="CountBefore">Shards of the map before this one; the same as <see cref="Count"/> once every endpoint has come to its shard.</param>
public readonly record struct ShardMap(long Version, int Count, int CountBefore)
{
    /// <summary>Most shards of a pool.</summary>
    public const int Most = 16;

    /// <summary>A pool that is not divided.</summary>
    public static ShardMap Undivided => new(0, 1, 1);

    /// <summary>True where the numbers are in their ranges.</summary>
    public bool IsValid => Version >= 0 && Count is >= 1 and <= Most && CountBefore is >= 1 and <= Most;

    /// <summary>True while endpoints are on their way from shard to shard.</summary>
    public bool IsMoving => Count != CountBefore;

    /// <summary>Shard that an endpoint belongs to.</summary>
    public int OwnerOf(EndpointId endpoint) => OwnerOf(endpoint, Count);

    /// <summary>Shard that it belonged to by the map before.</summary>
    public int OwnerBefore(EndpointId endpoint) => OwnerOf(endpoint, CountBefore);

    /// <summary>The first two shards for a key, the best first: the two that all gateways find, whatever else there is. Alike where there is but one.</summary>
    /// <param name="key">Hash of what should stay together: the first block of a prompt, or a session.</param>
    public (int First, int Second) CandidatesFor(ulong key)
    {
        if (Count <= 1) return (0, 0);
        var (first, second) = (-1, -1);
        var (firstWeight, secondWeight) = (0UL, 0UL);
        for (var shard = 0; shard < Count; shard++)
        {
            var weight = Mix(key ^ Mix((ulong)shard + 0x9E3779B97F4A7C15));
            if (first < 0 || weight > firstWeight)
            {
                (second, secondWeight) = (first, firstWeight);
                (first, firstWeight) = (shard, weight);
            }
            else if (second < 0 || weight > secondWeight)
            {
                (second, secondWeight) = (shard, weight);
            }
        }

        return (first, second);
    }

    /// <summary>The map after this one with another number of shards.</summary>
    /// <param name="count">1–<see cref="Most"/>; the same number ends the moving.</param>
    /// <param name="atLeast">Version that it must not be below: the deciding activation's epoch, so that a later one's maps count.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is out of its range.</exception>
    public ShardMap Next(int count, long atLeast)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Most);
        return new ShardMap(Math.Max(Version + 1, atLeast), count, Count);
    }

    // Jump consistent hash (Lamping and Veach, 2014): even, without a table, and what moves, moves to the new shard alone.
    private static int OwnerOf(EndpointId endpoint, int count)
    {
        if (count <= 1) return 0;
        var key = PromptHasher.SeedOf(MemoryMarshal.AsBytes(endpoint.Address.AsSpan()));
        var (owner, next) = (-1L, 0L);
        while (next < count)
        {
            owner = next;
            key = unchecked((key * 2862933555777941757UL) + 1);
            next = (long)((owner + 1) * ((1L << 31) / (double)((key >> 33) + 1)));
        }

        return (int)owner;
    }

    // The finalizer of SplitMix64: every bit of the sum has to count.
    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
