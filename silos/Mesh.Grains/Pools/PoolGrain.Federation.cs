using Mesh.Grains.Federation;

namespace Mesh.Grains.Pools;

// What the pool and the peers of its region tell each other, by way of the region's grain.
internal sealed partial class PoolGrain
{
    private PoolPeering? _peering;

    public ValueTask<PoolExchangeReply> ExchangePeers(PoolExchange call)
    {
        _peering ??= new PoolPeering(_id, region => GrainFactory.GetGrain<IRegionFederationGrain>(region));
        // Two activations of a pool must not grant the same room to peers.
        return new ValueTask<PoolExchangeReply>(_peering.Take(call, _isSuperseded ? null : _host));
    }
}
