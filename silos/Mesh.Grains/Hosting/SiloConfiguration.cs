using System.Collections.Frozen;
using System.Collections.Immutable;
using Mesh.Core.Config;

namespace Mesh.Grains.Hosting;

/// <summary>
/// The configuration that the grains of one silo run by. Every silo reads the manifests for itself; grains look here whenever they wake up, so
/// that a change needs no message and a grain that moves finds it where it comes to. Thread-safe.
/// </summary>
public sealed class SiloConfiguration
{
    private volatile ConfigurationIndex _current = new(MeshConfig.Empty);

    /// <summary>What holds now.</summary>
    public MeshConfig Config => _current.Config;

    internal ConfigurationIndex Current => _current;

    /// <summary>Puts a configuration in force on this silo.</summary>
    public void Set(MeshConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        _current = new ConfigurationIndex(config);
    }
}

/// <summary>A configuration by what grains look for in it.</summary>
internal sealed class ConfigurationIndex
{
    private readonly FrozenDictionary<string, PoolConfig> _pools;
    private readonly FrozenDictionary<string, ImmutableArray<(PoolConfig Pool, EndpointConfig Endpoint)>> _endpoints;
    private readonly FrozenDictionary<string, ImmutableArray<string>> _byCluster;

    public ConfigurationIndex(MeshConfig config)
    {
        Config = config;
        _pools = config.Pools.ToFrozenDictionary(p => p.Id.ToString());
        var endpoints = new SortedDictionary<string, Dictionary<PoolId, (PoolConfig, EndpointConfig)>>(StringComparer.Ordinal);
        var clusters = new SortedDictionary<string, SortedSet<string>>(StringComparer.Ordinal);
        foreach (var cluster in config.Clusters) clusters[cluster.Name] = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var pool in config.Pools)
        {
            foreach (var backend in pool.Backends)
            {
                if (!clusters.TryGetValue(backend.Id.Cluster, out var members)) clusters.Add(backend.Id.Cluster, members = new SortedSet<string>(StringComparer.Ordinal));
                foreach (var endpoint in backend.Endpoints)
                {
                    members.Add(endpoint.Id.Address);
                    if (!endpoints.TryGetValue(endpoint.Id.Address, out var pools)) endpoints.Add(endpoint.Id.Address, pools = []);
                    pools.TryAdd(pool.Id, (pool, endpoint));
                }
            }
        }

        _endpoints = endpoints.ToFrozenDictionary(
            e => e.Key, e => e.Value.OrderBy(p => p.Key).Select(p => p.Value).ToImmutableArray());
        _byCluster = clusters.ToFrozenDictionary(c => c.Key, c => c.Value.ToImmutableArray());

        // Clusters that no profile names still have to be looked after: they belong to the region of their endpoints.
        var regions = new SortedDictionary<string, SortedSet<string>>(StringComparer.Ordinal);
        foreach (var cluster in config.Clusters) Add(cluster.Region, cluster.Name);
        foreach (var backend in config.Pools.SelectMany(p => p.Backends)) Add(backend.Region, backend.Id.Cluster);
        Regions = regions.ToFrozenDictionary(r => r.Key, r => r.Value.ToImmutableArray());

        void Add(string region, string cluster)
        {
            if (!regions.TryGetValue(region, out var members)) regions.Add(region, members = new SortedSet<string>(StringComparer.Ordinal));
            members.Add(cluster);
        }
    }

    public MeshConfig Config { get; }

    /// <summary>Clusters of each region, by name.</summary>
    public FrozenDictionary<string, ImmutableArray<string>> Regions { get; }

    /// <summary>A pool by <c>namespace/name</c>; null when it is not configured.</summary>
    public PoolConfig? Pool(string key) => _pools.GetValueOrDefault(key);

    /// <summary>Pools that name an endpoint, ordered by id; empty when none does.</summary>
    public ImmutableArray<(PoolConfig Pool, EndpointConfig Endpoint)> PoolsOf(string address) => _endpoints.TryGetValue(address, out var pools) ? pools : [];

    /// <summary>Addresses of a cluster's endpoints, ordered.</summary>
    public ImmutableArray<string> EndpointsOf(string cluster) => _byCluster.TryGetValue(cluster, out var members) ? members : [];
}
