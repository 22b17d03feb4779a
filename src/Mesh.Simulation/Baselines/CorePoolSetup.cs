using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.SpillOver;

namespace Mesh.Simulation.Baselines;

/// <summary>The pool of one gateway's <see cref="CoreRouter"/>.</summary>
internal sealed record CorePoolSetup
{
    /// <summary>The pool; its endpoints are <see cref="Endpoints"/>.</summary>
    public required PoolConfig Config { get; init; }

    /// <summary>Addresses in the order of the router's numbers.</summary>
    public required EndpointId[] Endpoints { get; init; }

    /// <summary>Seed of the pool.</summary>
    public required ulong Seed { get; init; }

    /// <summary>Name of the gateway.</summary>
    public string Gateway { get; init; } = "gateway";

    /// <summary>Where the gateway stands.</summary>
    public Locality Locality { get; init; } = new();

    /// <summary>Metrics that policies name, by endpoint; null for none.</summary>
    public ImmutableArray<MetricExportConfig>[]? Exports { get; init; }

    /// <summary>Whether engines tell what their caches hold, at once and without loss, into the pool's exact index.</summary>
    public bool CacheEvents { get; init; }
}
