using Mesh.Core.Config;
using Mesh.Core.Regions.Reports;
using Mesh.Engine;

namespace Mesh.Grains.Federation;

/// <summary>
/// A pool's side of the exchange with its region's grain: hands what is new of the peers to the pool's state, and gives its parts of the reports. Not
/// thread-safe, but for what the pool calls when peers should hear of it sooner.
/// </summary>
/// <param name="pool">The pool.</param>
/// <param name="grainOf">Gives the grain of a region.</param>
/// <param name="setRegions">Sets the peer regions, where the pool has other peers besides; null to set them as all there are.</param>
internal sealed class PoolPeering(PoolId pool, Func<string, IRegionFederationGrain?> grainOf, Action<string[]>? setRegions = null)
{
    private PoolHost? _host;
    private string[] _peers = [];
    private IRegionFederationGrain? _region;
    private long _epoch;
    private volatile bool _hasAsked;

    /// <summary>One exchange.</summary>
    /// <param name="call">What the region's grain says.</param>
    /// <param name="host">The pool; null while it is not configured.</param>
    public PoolExchangeReply Take(PoolExchange call, PoolHost? host)
    {
        // Two activations of the region's grain may live for a moment: what the later one says holds.
        if (call.Epoch < _epoch) return new PoolExchangeReply { IsSuperseded = true, RegionEpoch = _epoch };
        if (call.Epoch > _epoch) (_epoch, _region) = (call.Epoch, grainOf(call.Region));
        if (host is null) return new PoolExchangeReply { RegionEpoch = _epoch };
        if (!ReferenceEquals(host, _host) || !call.Peers.AsSpan().SequenceEqual(_peers))
        {
            (_host, _peers) = (host, call.Peers);
            if (setRegions is null) host.Peers.Set([.. call.Peers], AskSooner);
            else setRegions(call.Peers);
        }

        host.Peers.BeginAccount(call.Account);
        foreach (var news in call.News) Apply(news, host);
        var parts = new ReportPart[call.Peers.Length];
        _hasAsked = false;
        for (var i = 0; i < parts.Length; i++)
        {
            var account = host.Peers.AccountWith(call.Peers[i]);
            parts[i] = new ReportPart(call.Peers[i], PartBytes.Write(host.Peers.BuildReport(call.Peers[i])), account.Sent, account.Awaited, account.InFlight);
        }

        return new PoolExchangeReply { RegionEpoch = _epoch, Parts = parts, Account = host.Peers.Account };
    }

    private static void Apply(PeerNews news, PoolHost host)
    {
        if (news.RoundTripTicks is { } roundTrip) host.Peers.ApplyRoundTrip(news.Region, TimeSpan.FromTicks(roundTrip));
        if (news.HasReport)
        {
            var head = new RegionReport
            {
                Region = news.Region,
                Instance = news.Instance,
                Sequence = news.Sequence,
                HeardAge = news.HeardAgeTicks is { } age ? TimeSpan.FromTicks(age) : null,
                ConfigVersion = news.ConfigVersion,
                SoftwareVersion = news.SoftwareVersion,
            };
            host.Peers.Apply(head, news.Part is null ? null : PartBytes.Read(news.Part));
        }

        if (news.IsLost) host.Peers.Lost(news.Region);
    }

    /// <summary>Peers should hear of the pool before the next report is due.</summary>
    public void AskSooner()
    {
        // Called on the request path until the next report is made: once is enough, and a message that gets lost costs a tenth of a second.
        if (_hasAsked || _region is not { } region) return;
        _hasAsked = true;
        _ = region.Sooner(pool);
    }
}
