using System.Collections.Immutable;
using Mesh.Engine;
using Mesh.Engine.Federation;
using Mesh.Grains.Federation;
using Microsoft.Extensions.Logging;

namespace Mesh.Grains.Gateways;

// Peer regions: the region's grain stands for the region among them, once for all of its gateways.
public sealed partial class GrainEngine : IFederatedEngine
{
    private RemoteFederation? _federation;

    /// <inheritdoc/>
    public IFederation Join(FederationSettings settings, Func<PeerAddress, HttpMessageInvoker> connect, ILoggerFactory loggers)
    {
        ArgumentNullException.ThrowIfNull(settings);
        return _federation = new RemoteFederation(settings, connect, Session.ToString(), _services.Grains, _services.Time, loggers);
    }

    /// <inheritdoc/>
    public ImmutableArray<PeerLinkSnapshot> Peers()
    {
        if (_federation?.Peers() is not { IsEmpty: false } links) return [];
        var pools = ((IMeshEngine)this).Snapshot();
        var peers = ImmutableArray.CreateBuilder<PeerLinkSnapshot>(links.Length);
        foreach (var link in links)
        {
            var (credits, forwarded) = (0.0, 0);
            foreach (var pool in pools)
            {
                foreach (var seen in pool.Peers)
                {
                    if (seen.Region != link.Region) continue;
                    credits += seen.Credits;
                    forwarded += seen.InFlight;
                }
            }

            peers.Add(link with { Credits = credits, Forwarded = forwarded });
        }

        return peers.MoveToImmutable();
    }
}
