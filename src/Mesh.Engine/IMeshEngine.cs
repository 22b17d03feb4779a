using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Leases;
using Mesh.Core.Routing;
using Mesh.Core.Snapshots;
using Mesh.Engine.Federation;
using Mesh.Engine.Scraping.Orca;

namespace Mesh.Engine;

/// <summary>One running engine: places requests, probes and scrapes the endpoints of its configuration. Thread-safe.</summary>
public interface IMeshEngine : IAsyncDisposable
{
    /// <summary>Where gateways ask for placement.</summary>
    IRouter Router { get; }

    /// <summary>Session of this process's gateway; its heartbeat is kept by the engine.</summary>
    GatewaySession Session { get; }

    /// <summary>Takes a new configuration; requests in flight go on.</summary>
    void Reconfigure(MeshConfig config);

    /// <summary>
    /// Decisions that were kept (<see cref="RouteRequest.Explain"/>), the newest first; an engine that keeps none has none. Costs a copy: for people, not for the request path.
    /// </summary>
    /// <param name="pool">Pool; null for all.</param>
    /// <param name="requestId">Only those of this request, one for each attempt; null for all.</param>
    /// <param name="limit">At most so many, at least 1.</param>
    ImmutableArray<ExplainedDecision> Decisions(PoolId? pool, string? requestId, int limit) => [];

    /// <summary>Leases that are out, pool by pool; an engine that cannot tell has none. Costs a copy of those found: for people, not for the request path.</summary>
    /// <param name="pool">Pool; null for all.</param>
    /// <param name="endpoint">Only those at this endpoint; null for all.</param>
    /// <param name="session">Only those of this gateway session; null for all.</param>
    /// <param name="limit">At most so many, at least 1.</param>
    ImmutableArray<LeaseSnapshot> Leases(PoolId? pool, EndpointId? endpoint, GatewaySession? session, int limit) => [];

    /// <summary>
    /// Tells what an endpoint said of its own load beside an answer just now. Of each figure the newest value holds, that of a page of metrics
    /// or of a report. Unknown pools and endpoints have no effect, and an engine that learns nothing from reports passes them over.
    /// </summary>
    void ReportLoad(PoolId pool, EndpointId endpoint, in OrcaReport report)
    {
    }

    /// <summary>State of the links to peer regions, ordered by name; an engine without peers has none. Costs a copy: for people, not for the request path.</summary>
    ImmutableArray<PeerLinkSnapshot> Peers() => [];

    /// <summary>Where the state machines run, ordered by kind and key, as last heard; empty for an engine whose machines all run in this process.</summary>
    ImmutableArray<MachineSnapshot> Machines() => [];

    /// <summary>State of every pool, ordered by id. Costs a copy: for people, not for the request path.</summary>
    ImmutableArray<PoolSnapshot> Snapshot();
}
