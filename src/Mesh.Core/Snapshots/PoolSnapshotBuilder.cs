using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Routing;

namespace Mesh.Core.Snapshots;

/// <summary>Copies a pool's state out. Draining endpoints stand in the backend that they had last, so that the leases add up.</summary>
internal static class PoolSnapshotBuilder
{
    public static PoolSnapshot Build(PoolConfig config, EndpointTable endpoints, int leases, PoolClock clock)
    {
        var backends = new SortedDictionary<BackendId, (BackendConfig Config, List<EndpointState> Endpoints)>();
        foreach (var backend in config.Backends) backends.TryAdd(backend.Id, (backend, []));
        foreach (var endpoint in endpoints.All.OrderBy(e => e.Id))
        {
            if (!backends.TryGetValue(endpoint.Backend.Id, out var entry)) backends.Add(endpoint.Backend.Id, entry = (endpoint.Backend, []));
            entry.Endpoints.Add(endpoint);
        }

        var now = clock.Now;
        return new PoolSnapshot
        {
            Id = config.Id,
            Leases = leases,
            Backends =
            [
                .. backends.Values.Select(b => new BackendSnapshot
                {
                    Id = b.Config.Id,
                    Region = b.Config.Region,
                    Endpoints = [.. b.Endpoints.Select(e => Copy(e, clock, now))],
                }),
            ],
        };
    }

    private static EndpointSnapshot Copy(EndpointState endpoint, PoolClock clock, long now) => new()
    {
        Id = endpoint.Id,
        PodName = endpoint.PodName,
        Health = endpoint.Health,
        InFlightRequests = endpoint.InFlightRequests,
        InFlightTokens = endpoint.InFlightTokens,
        InFlightPrefillTokens = endpoint.InFlightPrefillTokens,
        FailureLoadRequests = endpoint.FailureRequests(clock.FailureDecay(now)),
        Draining = endpoint.Draining,
        TotalRequests = endpoint.TotalRequests,
        Models = endpoint.Models is { } models ? [.. models.Select(m => m.Name)] : default,
        LastSample = endpoint.LastSample,
        SampleAge = endpoint.LastSample is { } sample ? clock.Elapsed(sample.Timestamp, now) : null,
    };
}
