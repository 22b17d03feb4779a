using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.Leases;
using Mesh.Core.Routing;
using Mesh.Core.Snapshots;

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

    /// <summary>State of every pool, ordered by id. Costs a copy: for people, not for the request path.</summary>
    ImmutableArray<PoolSnapshot> Snapshot();
}
