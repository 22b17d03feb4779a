using System.Runtime.InteropServices;
using Mesh.Core.Endpoints;
using Mesh.Core.PrefixCache;

namespace Mesh.Core.Scheduling;

/// <summary>Highest random weight hashing: a key keeps its endpoint as long as that is there, and 1/n of the keys move to a new one.</summary>
internal static class RendezvousHash
{
    /// <summary>Key of the request's session: its affinity key, else its fairness id; 0 without either.</summary>
    public static ulong SessionOf(in SchedulingContext context)
    {
        var key = context.Request.AffinityKey;
        return key == 0 && !string.IsNullOrEmpty(context.Request.FairnessId)
            ? PromptHasher.SeedOf(MemoryMarshal.AsBytes(context.Request.FairnessId.AsSpan()))
            : key;
    }

    /// <summary>Weight of an endpoint for a key.</summary>
    public static ulong Weight(EndpointState endpoint, ulong key) => Weight(endpoint.IdHash, key);

    /// <summary>The same by the hash of the endpoint's id.</summary>
    public static ulong Weight(ulong idHash, ulong key)
    {
        // The finalizer of SplitMix64: every bit of the sum has to count.
        var z = idHash ^ key;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>Index of the candidate of highest weight; there is at least one.</summary>
    public static int Best(ReadOnlySpan<EndpointState> candidates, ulong key)
    {
        var (best, bestWeight) = (0, Weight(candidates[0], key));
        for (var i = 1; i < candidates.Length; i++)
        {
            var weight = Weight(candidates[i], key);
            if (weight > bestWeight) (best, bestWeight) = (i, weight);
        }

        return best;
    }
}
