using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Testing.Net;

namespace Mesh.Gateway.Tests.Support;

/// <summary>Small configurations.</summary>
internal static class Configs
{
    public static PoolId Pool { get; } = new("default", "pool");

    public static MeshConfig For(params EndpointId[] endpoints) => With(Pool, TimeSpan.FromSeconds(30), endpoints);

    public static MeshConfig With(PoolId pool, TimeSpan timeout, params EndpointId[] endpoints) => new()
    {
        Version = 1,
        Clusters = [new ClusterConfig { Name = "c1", Region = "r1", Zone = "z1", IsConfigCluster = true }],
        Pools = [PoolOf(pool, timeout, endpoints)],
        Gateways = [new GatewayConfig { Namespace = "default", Name = "gw", Listeners = [new ListenerConfig("http", ListenerProtocol.Http, 80, null)] }],
        Routes = [RouteTo(pool)],
    };

    public static HttpRouteConfig RouteTo(PoolId pool, HttpRouteMatch? match = null, TimeSpan? timeout = null, string name = "route") => new()
    {
        Namespace = "default",
        Name = name,
        Parents = [new ParentRefConfig("default", "gw", null, null)],
        Rules = [new HttpRouteRule { Matches = match is null ? [] : [match], BackendRefs = [new BackendRefConfig(pool)], RequestTimeout = timeout }],
    };

    public static PoolConfig PoolOf(PoolId pool, TimeSpan timeout, params EndpointId[] endpoints) => new()
    {
        Id = pool,
        Timeout = timeout,
        Backends =
        [
            new BackendConfig
            {
                Id = new BackendId("c1", "z1", 8000),
                Region = "r1",
                Endpoints = [.. endpoints.Select((e, i) => new EndpointConfig { Id = e, PodName = $"pod-{i}" })],
            },
        ],
    };

    /// <summary>An endpoint at which nothing listens.</summary>
    public static EndpointId Dead() => new(FreePorts.NextAddress().ToString());
}
