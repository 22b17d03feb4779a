using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Leases;
using Mesh.Core.Snapshots;
using Mesh.Engine;
using Mesh.Gateway.Admin.Shapes;

namespace Mesh.Gateway.Admin.Views;

/// <summary>Leases in the API's shape.</summary>
internal static class LeaseView
{
    /// <summary>Leases, counted and singly.</summary>
    /// <param name="reading">State of the mesh.</param>
    /// <param name="engine">Tells single ones.</param>
    /// <param name="pool">Only those of this pool; null for all.</param>
    /// <param name="endpoint">Only those at this endpoint; null for all.</param>
    /// <param name="session">Only single ones of this session; null for all.</param>
    /// <param name="limit">Most single ones and endpoints.</param>
    public static LeasesShape Of(MeshReading reading, IMeshEngine engine, PoolId? pool, EndpointId? endpoint, GatewaySession? session, int limit)
    {
        var pools = reading.Pools.Where(p => pool is null || p.Id == pool).ToArray();
        var endpoints = pools
            .SelectMany(p => p.Backends).SelectMany(b => b.Endpoints)
            .Where(e => e.InFlightRequests > 0 && (endpoint is null || e.Id == endpoint))
            .GroupBy(e => e.Id.Address).Select(g => new CountShape(g.Key, g.Sum(e => e.InFlightRequests)))
            .OrderByDescending(c => c.Leases).ThenBy(c => c.Name, StringComparer.Ordinal);
        return new LeasesShape
        {
            Total = pools.Sum(p => p.Leases),
            Sessions =
            [
                .. pools.SelectMany(p => p.Sessions).GroupBy(s => s.Session)
                    .Select(g => new SessionLeasesShape(
                        g.Key.ToString(), g.Key == engine.Session, g.Sum(s => s.Leases), Rounded.Or0(g.Min(s => s.SinceSeen).TotalSeconds)))
                    .OrderBy(s => s.Session, StringComparer.Ordinal),
            ],
            Pools = [.. pools.Select(p => new CountShape(p.Id.ToString(), p.Leases))],
            Endpoints = [.. endpoints.Take(limit)],
            Items = [.. engine.Leases(pool, endpoint, session, limit).Select(Of)],
            Limit = limit,
        };
    }

    private static LeaseShape Of(LeaseSnapshot lease) => new()
    {
        Id = lease.Id.ToString(),
        Pool = lease.Pool.ToString(),
        Endpoint = lease.Endpoint.Address,
        Session = lease.Session.ToString(),
        AgeSeconds = Rounded.Or0(lease.Age.TotalSeconds),
        PromptTokens = lease.PromptTokens,
        OutputTokens = lease.OutputTokens,
        CachedTokens = lease.CachedTokens,
        Adapter = lease.Adapter,
        FirstByteSeen = lease.FirstByteSeen,
    };
}
