using System.Collections.Immutable;
using Mesh.Core.Config;

namespace Mesh.Gateway.Drains;

/// <summary>Lays the drains over a configuration: every endpoint that one covers is marked, whatever the manifests say. Pure.</summary>
internal static class DrainOverlay
{
    /// <summary>The configuration with the drained endpoints marked; the same object when none is.</summary>
    public static MeshConfig Apply(MeshConfig config, ImmutableArray<Drain> drains)
    {
        if (drains.IsEmpty) return config;
        var changed = false;
        var pools = ImmutableArray.CreateBuilder<PoolConfig>(config.Pools.Length);
        foreach (var pool in config.Pools)
        {
            var marked = Mark(pool, drains);
            changed |= !ReferenceEquals(marked, pool);
            pools.Add(marked);
        }

        return changed ? config with { Pools = pools.MoveToImmutable() } : config;
    }

    private static PoolConfig Mark(PoolConfig pool, ImmutableArray<Drain> drains)
    {
        var changed = false;
        var backends = ImmutableArray.CreateBuilder<BackendConfig>(pool.Backends.Length);
        foreach (var backend in pool.Backends)
        {
            var endpoints = ImmutableArray.CreateBuilder<EndpointConfig>(backend.Endpoints.Length);
            foreach (var endpoint in backend.Endpoints)
            {
                var drained = endpoint.Drained || Covers(drains, pool, backend, endpoint);
                changed |= drained != endpoint.Drained;
                endpoints.Add(drained == endpoint.Drained ? endpoint : endpoint with { Drained = drained });
            }

            backends.Add(backend with { Endpoints = endpoints.MoveToImmutable() });
        }

        return changed ? pool with { Backends = backends.MoveToImmutable() } : pool;
    }

    private static bool Covers(ImmutableArray<Drain> drains, PoolConfig pool, BackendConfig backend, EndpointConfig endpoint)
    {
        foreach (var drain in drains)
        {
            if (drain.Target.Covers(pool, backend, endpoint)) return true;
        }

        return false;
    }
}
