using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Grains.Contracts;
using Mesh.Grains.Pools;

namespace Mesh.Grains.Rehearsing;

/// <summary>
/// A pool that no manifest names, for going once through everything that a pool is asked: code that has run once is compiled, and types that were
/// on the wire once are known. Its only endpoint is an address that is nobody's, and nothing is ever sent there.
/// </summary>
internal static class RehearsalPool
{
    private const string Namespace = "mesh-rehearsal";
    private static readonly EndpointId Endpoint = new("192.0.2.1:1");

    /// <summary>Its name, for one process.</summary>
    public static PoolId Id(string process) => new(Namespace, process);

    /// <summary>True for such a pool: nobody probes its endpoint, and no other silo has to take care of it.</summary>
    public static bool Is(PoolId pool) => pool.Namespace == Namespace;

    /// <summary>Its configuration.</summary>
    public static PoolConfig Config(PoolId pool) => new()
    {
        Id = pool,
        Backends =
        [
            new BackendConfig
            {
                Id = new BackendId(Namespace, Namespace, 1),
                Region = Namespace,
                Endpoints = [new EndpointConfig { Id = Endpoint, PodName = Namespace }],
            },
        ],
    };

    /// <summary>Says of its endpoint that it takes requests.</summary>
    public static EndpointNews News(TimeProvider time) => new()
    {
        Endpoint = Endpoint,
        Health = EndpointHealth.Healthy,
        Models = [Namespace],
        Sample = new EndpointSample { Endpoint = Endpoint, Timestamp = time.GetTimestamp() },
    };

    /// <summary>Its grain.</summary>
    public static IPoolGrain Grain(IGrainFactory grains, PoolId pool) => grains.GetGrain<IPoolGrain>(GrainId.Create(PoolKey.GrainType, pool.ToString()));
}
