using System.Collections.Frozen;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Leases;
using Mesh.Core.Routing;
using Mesh.Core.Sharding;
using Mesh.Core.Snapshots;
using Mesh.Engine;
using Mesh.Engine.Monitoring;

namespace Mesh.Grains.Gateways;

/// <summary>
/// A pool that a gateway runs by itself while no silo answers: the same state, begun with what was last known of the endpoints and with what this
/// gateway holds. It learns nothing but what becomes of its own requests. Thread-safe.
/// </summary>
internal sealed class StandInPool
{
    // The last readings are all there is: they count for as long as the gateway may go on by itself.
    private static readonly TimeSpan ReadingsCount = TimeSpan.FromHours(1);

    // Far above every pool's own epochs, and another one for each gateway and time: its leases will be announced to the pool.
    private const long EpochMark = 1L << 62;
    private readonly PoolHost _host;
    private readonly CancellationTokenSource _end = new();

    public StandInPool(PoolConfig config, PoolSnapshot known, ReadOnlySpan<HeldLease> held, LinkServices services, int shard)
    {
        var time = services.Time;
        var epoch = EpochMark | ((long)(Hash(services.Session.GatewayId) & 0xfffff) << 42) | (time.GetUtcNow().ToUnixTimeMilliseconds() & ((1L << 42) - ShardMap.Most)) | (uint)shard;
        var state = new PoolState(config, time, PoolSeed.Of(services.Options.Seed, config.Id), services.Options.Pool with { Epoch = epoch });
        foreach (var endpoint in known.Backends.SelectMany(b => b.Endpoints))
        {
            if (endpoint.Health == EndpointHealth.Unknown) continue;
            state.ApplyHealth(endpoint.Id, endpoint.Health);
            if (!endpoint.Models.IsDefault) state.ApplyModels(endpoint.Id, endpoint.Models);
            if (endpoint.LastSample is { } sample) state.Apply(sample with { MaxAge = ReadingsCount });
        }
        state.Heartbeat(services.Session);
        state.Announce(services.Session, held);
        _host = new PoolHost(state, static () => { });
    }

    /// <summary>True for leases that a gateway made by itself.</summary>
    public static bool Made(LeaseId lease) => lease.Epoch >= EpochMark;

    public ValueTask<RouteDecision> RouteAsync(in RouteRequest request) => _host.RouteAsync(in request, _end.Token);

    public void ReportFirstByte(LeaseId lease) => _host.ReportFirstByte(lease);

    public void Complete(LeaseId lease, in RequestOutcome outcome) => _host.Complete(lease, in outcome);

    public void Keep(GatewaySession session) => _host.Keep(session);

    public void Reconfigure(PoolConfig config) => _host.Reconfigure(config, FrozenDictionary<EndpointId, EndpointMonitor>.Empty);

    /// <summary>Requests that still wait are cancelled: somebody else decides on them.</summary>
    public void Close() => _end.Cancel();

    private static ulong Hash(string text)
    {
        var hash = 14695981039346656037UL;
        foreach (var c in text) hash = (hash ^ c) * 1099511628211UL;
        return hash ^ (hash >> 32);
    }
}
