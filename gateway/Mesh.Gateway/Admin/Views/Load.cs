using Mesh.Core.Endpoints;
using Mesh.Core.Snapshots;

namespace Mesh.Gateway.Admin.Views;

/// <summary>Load of several backends together.</summary>
internal struct Load
{
    /// <summary>Endpoints.</summary>
    public int Endpoints;

    /// <summary>Those that can be sent requests.</summary>
    public int Ready;

    /// <summary>Requests in flight.</summary>
    public int InFlight;

    /// <summary>Requests per second.</summary>
    public double Rate;

    /// <summary>Of the fullest; null while no backend has one.</summary>
    public double? Fullness;

    /// <summary>Adds a backend.</summary>
    public void Add(BackendSnapshot backend)
    {
        Endpoints += backend.Endpoints.Length;
        Ready += ReadyIn(backend);
        InFlight += InFlightOf(backend);
        Rate += backend.RequestsPerSecond;
        if (backend.Fullness is { } fullness && !(Fullness >= fullness)) Fullness = fullness;
    }

    /// <summary>Adds a peer region's part of a pool; what was forwarded there is the link's to tell.</summary>
    public void Add(PeerSnapshot peer)
    {
        Endpoints += peer.Endpoints;
        Ready += peer.Healthy;
        if (peer.Fullness is { } fullness && !(Fullness >= fullness)) Fullness = fullness;
    }

    /// <summary>Endpoints of a backend that can be sent requests.</summary>
    public static int ReadyIn(BackendSnapshot backend)
    {
        var ready = 0;
        foreach (var endpoint in backend.Endpoints)
        {
            if (endpoint is { Health: EndpointHealth.Healthy, Draining: false, Drained: false }) ready++;
        }

        return ready;
    }

    /// <summary>Requests in flight at a backend, summed up so that it equals what its endpoints show.</summary>
    public static int InFlightOf(BackendSnapshot backend)
    {
        var sum = 0;
        foreach (var endpoint in backend.Endpoints) sum += endpoint.InFlightRequests;
        return sum;
    }
}
