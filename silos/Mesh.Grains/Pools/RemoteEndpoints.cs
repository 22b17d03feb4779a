using System.Collections.Frozen;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Engine.Monitoring;
using Mesh.Grains.Contracts;

namespace Mesh.Grains.Pools;

/// <summary>
/// Tells the endpoints' grains what requests have shown: that one which rested gets requests again, or that one could not be reached. Called on
/// the request path, so it says nothing that the grain knows already.
/// </summary>
internal sealed class RemoteEndpoints(PoolId pool, IGrainFactory grains, TimeProvider time) : IEndpointListener
{
    // More suspicions within this time would find the probe under way.
    private static readonly TimeSpan LeastBetweenSuspicions = TimeSpan.FromMilliseconds(200);
    private volatile FrozenDictionary<EndpointId, Known> _known = FrozenDictionary<EndpointId, Known>.Empty;

    /// <summary>Endpoints that the pool has now.</summary>
    public void Reconfigure(PoolConfig config)
    {
        var before = _known;
        _known = config.Backends.SelectMany(b => b.Endpoints).Select(e => e.Id).Distinct()
            .ToFrozenDictionary(e => e, e => before.TryGetValue(e, out var known) ? known : new Known());
    }

    /// <summary>Endpoints of the pool, ordered.</summary>
    public IReadOnlyList<EndpointId> All => [.. _known.Keys.Order()];

    /// <summary>How many there are.</summary>
    public int Count => _known.Count;

    /// <summary>Its grain has said whether it rests.</summary>
    public void SetResting(EndpointId endpoint, bool isResting)
    {
        if (_known.TryGetValue(endpoint, out var known)) known.IsResting = isResting;
    }

    public void Placed(EndpointId endpoint)
    {
        if (!_known.TryGetValue(endpoint, out var known) || !known.IsResting) return;
        known.IsResting = false;
        _ = grains.GetGrain<IEndpointGrain>(endpoint.Address).Placed(pool);
    }

    public void Suspected(EndpointId endpoint)
    {
        if (!_known.TryGetValue(endpoint, out var known)) return;
        var now = time.GetTimestamp();
        if (known.SuspectedAt is { } last && time.GetElapsedTime(last, now) < LeastBetweenSuspicions) return;
        known.SuspectedAt = now;
        _ = grains.GetGrain<IEndpointGrain>(endpoint.Address).Suspect(pool);
    }

    private sealed class Known
    {
        private volatile bool _isResting;

        public bool IsResting
        {
            get => _isResting;
            set => _isResting = value;
        }

        public long? SuspectedAt { get; set; }
    }
}
