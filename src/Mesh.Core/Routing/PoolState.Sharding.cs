using Mesh.Core.Endpoints;

namespace Mesh.Core.Routing;

// A pool that is divided: its endpoints come from and go to other states of the same pool.
public sealed partial class PoolState
{
    /// <summary>
    /// An endpoint has come from another part of the pool, where it has served: its share need not rise slowly. Call it after the configuration names the endpoint
    /// and before its health is told. False when the endpoint is unknown.
    /// </summary>
    public bool ApplyServedBefore(EndpointId id)
    {
        if (!_endpoints.TryFind(id, out var endpoint)) return false;
        endpoint.IsNewcomer = false;
        return true;
    }

    /// <summary>Endpoints that are healthy and take requests. Costs a look at each.</summary>
    public int ReadyEndpoints
    {
        get
        {
            var ready = 0;
            foreach (var endpoint in _endpoints.Configured)
            {
                if (endpoint.IsReady) ready++;
            }

            return ready;
        }
    }
}
