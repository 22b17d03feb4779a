using System.Runtime.InteropServices;
using Mesh.Core.Endpoints;
using Mesh.Core.Snapshots;
using Mesh.Grains.Contracts;

namespace Mesh.Grains.Pools;

/// <summary>What a pool's snapshot says of its endpoints, for a pool that begins anew.</summary>
internal static class EndpointHints
{
    /// <summary>Endpoints whose health is known.</summary>
    /// <param name="snapshot">By this machine's clock.</param>
    /// <param name="time">The clock.</param>
    /// <param name="sampleMaxAge">Age that samples of endpoints that do not rest may reach.</param>
    public static EndpointNews[] Of(PoolSnapshot snapshot, TimeProvider time, TimeSpan sampleMaxAge)
    {
        var hints = new List<EndpointNews>();
        foreach (var backend in snapshot.Backends)
        {
            foreach (var endpoint in backend.Endpoints)
            {
                if (endpoint.Health == EndpointHealth.Unknown) continue;
                hints.Add(new EndpointNews
                {
                    Endpoint = endpoint.Id,
                    Health = endpoint.Health,
                    Models = endpoint.Models.IsDefault ? null : ImmutableCollectionsMarshal.AsArray(endpoint.Models),
                    Sample = endpoint.LastSample,
                    SampleAgeTicks = endpoint.LastSample is { } sample ? Ages.Of(sample.Timestamp, time) : 0,
                    IsResting = endpoint.LastSample?.MaxAge > sampleMaxAge,
                });
            }
        }
        return [.. hints];
    }
}
