using System.Collections.Frozen;
using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.HttpRouting;
using Mesh.Gateway.Inference.StoredResponses;

namespace Mesh.Gateway.Hosting;

/// <summary>Everything that a request reads of the configuration, as one immutable whole: a request sees the old or the new, never a mixture.</summary>
internal sealed class RoutingState
{
    private readonly FrozenDictionary<int, PortTable> _byLocalPort;
    private readonly FrozenDictionary<PoolId, PoolEntry> _pools;
    private readonly FrozenDictionary<ulong, EndpointId> _byTag;
    private readonly FrozenDictionary<(string Namespace, string Name), int> _objectives;

    /// <exception cref="ArgumentException">A pattern of a route cannot be compiled.</exception>
    /// <exception cref="GatewayConfigurationException">The region is unknown, or a listener has no address.</exception>
    public RoutingState(MeshConfig config, GatewayOptions options)
    {
        Config = config;
        Region = options.Region ?? "";
        if (Region.Length > 0 && !config.Clusters.Any(c => c.Region == Region))
        {
            var known = string.Join(", ", config.Clusters.Select(c => c.Region).Distinct().Order(StringComparer.Ordinal));
            throw new GatewayConfigurationException($"No cluster is in region '{Region}'; the manifests have: {known}.");
        }

        var tables = PortTable.CompileAll(config, Region);
        Bindings = ListenerPlan.Create(options, tables);
        var byLocalPort = new Dictionary<int, PortTable>();
        foreach (var binding in Bindings)
        {
            if (!binding.IsAdmin) byLocalPort.Add(binding.Address.Port, tables.Single(t => t.Port == binding.Port));
        }

        _byLocalPort = byLocalPort.ToFrozenDictionary();
        _pools = config.Pools.ToFrozenDictionary(p => p.Id, p => new PoolEntry(p));
        Endpoints = _pools.Values.SelectMany(p => p.Endpoints).ToFrozenSet();
        var byTag = new Dictionary<ulong, EndpointId>();
        foreach (var endpoint in Endpoints.Order()) byTag.TryAdd(ResponseIds.TagOf(endpoint), endpoint);
        _byTag = byTag.ToFrozenDictionary();
        _objectives = Objectives(config);
        EditsUrls = config.Routes.SelectMany(r => r.Rules).Any(r => Edits(r.Filters) || r.BackendRefs.Any(b => Edits(b.Filters)));
    }

    /// <summary>The configuration itself.</summary>
    public MeshConfig Config { get; }

    /// <summary>Region whose listeners are open; empty for all of them.</summary>
    public string Region { get; }

    /// <summary>Addresses to open.</summary>
    public ImmutableArray<ListenerBinding> Bindings { get; }

    /// <summary>True when some route redirects or rewrites paths, so that paths beyond the APIs' may lead somewhere.</summary>
    public bool EditsUrls { get; }

    /// <summary>Routes of the listener behind a local port; null when the port is not a listener's.</summary>
    public PortTable? TableFor(int localPort) => _byLocalPort.GetValueOrDefault(localPort);

    /// <summary>A pool; null when it is not configured.</summary>
    public PoolEntry? Pool(PoolId id) => _pools.GetValueOrDefault(id);

    /// <summary>Every endpoint of every pool.</summary>
    public FrozenSet<EndpointId> Endpoints { get; }

    /// <summary>The endpoint that the id of a stored response stands for; null when no pool has it.</summary>
    public EndpointId? EndpointByTag(ulong tag) => _byTag.TryGetValue(tag, out var endpoint) ? endpoint : null;

    /// <summary>True when the endpoint belongs to the pool.</summary>
    public bool Has(PoolId pool, EndpointId endpoint) => Pool(pool)?.Endpoints.Contains(endpoint) == true;

    /// <summary>True when the endpoint belongs to the pool and may get requests: nobody drains it.</summary>
    public bool TakesRequests(PoolId pool, EndpointId endpoint) => Pool(pool) is { } entry && entry.Endpoints.Contains(endpoint) && !entry.Drained.Contains(endpoint);

    /// <summary>Priority of an objective in the pool's namespace; 0 for none and for an unknown one.</summary>
    public int PriorityOf(string? objective, PoolId pool) =>
        objective is null ? 0 : _objectives.GetValueOrDefault((pool.Namespace, objective));

    private static bool Edits(HttpRouteFiltersConfig filters) => filters.Redirect is not null || filters.UrlRewrite?.Path is not null;

    private static FrozenDictionary<(string Namespace, string Name), int> Objectives(MeshConfig config)
    {
        var objectives = new Dictionary<(string, string), int>();
        foreach (var objective in config.Objectives) objectives.TryAdd((objective.Namespace, objective.Name), objective.Priority);
        return objectives.ToFrozenDictionary();
    }
}

/// <summary>A pool with what the request path needs ready-made.</summary>
internal sealed class PoolEntry(PoolConfig config)
{
    private readonly FrozenDictionary<EndpointId, string> _clusters = Clusters(config);

    public PoolConfig Config { get; } = config;

    /// <summary>Its endpoints.</summary>
    public FrozenSet<EndpointId> Endpoints { get; } = config.Backends.SelectMany(b => b.Endpoints).Select(e => e.Id).ToFrozenSet();

    /// <summary>Those that an operator drains.</summary>
    public FrozenSet<EndpointId> Drained { get; } = config.Backends.SelectMany(b => b.Endpoints).Where(e => e.Drained).Select(e => e.Id).ToFrozenSet();

    /// <summary>Cluster of an endpoint of the pool; null for another one.</summary>
    public string? ClusterOf(EndpointId endpoint) => _clusters.GetValueOrDefault(endpoint);

    /// <summary><c>namespace/name</c>, for labels.</summary>
    public string Label { get; } = config.Id.ToString();

    private static FrozenDictionary<EndpointId, string> Clusters(PoolConfig config)
    {
        var clusters = new Dictionary<EndpointId, string>();
        foreach (var backend in config.Backends)
        {
            foreach (var endpoint in backend.Endpoints) clusters.TryAdd(endpoint.Id, backend.Id.Cluster);
        }

        return clusters.ToFrozenDictionary();
    }
}
