using System.Collections.Immutable;
using Mesh.Core.Endpoints;
using Mesh.Core.Snapshots;
using Mesh.Engine;
using Mesh.Engine.Federation;

namespace Mesh.Gateway.Hosting;

/// <summary>Whether this gateway should get requests.</summary>
internal sealed class Readiness(IMeshEngine engine, ActiveConfiguration configuration)
{
    private volatile bool _stopping;

    /// <summary>Gives what is wrong although requests can be served, in words; null when nothing is.</summary>
    public Func<string?>? Warnings { get; init; }

    /// <summary>What is wrong although requests can be served; null when nothing is.</summary>
    public string? Warning => Warnings?.Invoke();

    /// <summary>From now on not ready.</summary>
    public void Stop() => _stopping = true;

    /// <summary>Null when ready; else why not.</summary>
    public string? WhyNot() => WhyNot(null);

    /// <summary>As <see cref="WhyNot()"/>, by a state of the pools that is known already.</summary>
    public string? WhyNot(ImmutableArray<PoolSnapshot>? pools)
    {
        if (_stopping) return "the gateway is stopping";
        if (configuration.Current.Config.Pools.IsEmpty) return "the manifests export no pool";
        foreach (var pool in pools ?? engine.Snapshot())
        {
            foreach (var backend in pool.Backends)
            {
                foreach (var endpoint in backend.Endpoints)
                {
                    if (endpoint is { Health: EndpointHealth.Healthy, Draining: false, Drained: false }) return null;
                }
            }
        }

        // Requests of a region without an endpoint of its own are answered by its peers.
        foreach (var peer in engine.Peers())
        {
            if (peer.State == PeerReach.Healthy) return null;
        }

        return "no endpoint of any pool is ready";
    }
}
