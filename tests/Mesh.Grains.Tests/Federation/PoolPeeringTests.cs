using System.Collections.Frozen;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.FlowControl;
using Mesh.Core.Leases;
using Mesh.Core.Regions.Reports;
using Mesh.Core.Routing;
using Mesh.Core.SpillOver;
using Mesh.Engine;
using Mesh.Engine.Monitoring;
using Mesh.Grains.Federation;
using Mesh.Testing;

namespace Mesh.Grains.Tests.Federation;

/// <summary>A pool's side of the exchange with its region's grain: what peers grant counts once, whoever tells it and how often.</summary>
public sealed class PoolPeeringTests
{
    private const string Peer = "far";
    private readonly ManualTimeProvider _time = new();
    private readonly PoolConfig _config;
    private readonly PoolHost _host;
    private readonly PoolPeering _peering;

    public PoolPeeringTests()
    {
        _config = new PoolConfig
        {
            Id = SimulatedEndpoints.PoolId,
            // Who finds no room waits: nothing is sent beyond what is granted.
            FlowControl = new FlowControlSettings { WhenFull = WhenFull.Queue },
            Backends =
            [
                new BackendConfig
                {
                    Id = new BackendId("cluster", "a", 8000),
                    Region = "home",
                    Settings = new BackendSettings { Mode = BalancingMode.InFlight, MaxInFlightPerEndpoint = 1 },
                    Endpoints = [new EndpointConfig { Id = new EndpointId("127.0.0.1:1"), PodName = "pod" }],
                },
            ],
        };
        _host = Host(7);
        _peering = new PoolPeering(_config.Id, static _ => null);
    }

    [Fact]
    public void Take_GrantOfThree_ThreeAreForwarded()
    {
        Tell(Report(3, grant: 3), epoch: 1);

        var decisions = Place(_host, 6);

        Assert.Equal(1, decisions.Count(d => d.Kind == RouteKind.Send));
        Assert.Equal(3, decisions.Count(d => d.Kind == RouteKind.Forward));
        Assert.Equal(3, _host.Snapshot().Peers.Single().Forwarded);
    }

    [Fact]
    public void Take_SameReportAgainByAnotherActivation_GrantsNothingMore()
    {
        Tell(Report(3, grant: 3), epoch: 1);
        Place(_host, 6);

        // The call was cut off, and told again; then the region's grain came up elsewhere, and the peer said it once more.
        Tell(Report(3, grant: 3), epoch: 1);
        Tell(Report(3, grant: 3), epoch: 2);
        Place(_host, 6);

        Assert.Equal(3, _host.Snapshot().Peers.Single().Forwarded);
    }

    [Fact]
    public void Take_NextReportThatHasNotHeardOfThoseOnTheirWay_GrantsNothingMore()
    {
        Tell(Report(3, grant: 3), epoch: 1);
        Place(_host, 6);

        Tell(Report(4, grant: 3), epoch: 2);
        Place(_host, 6);
        Assert.Equal(3, _host.Snapshot().Peers.Single().Forwarded);

        Tell(Report(5, grant: 3) with { Part = PartBytes.Write(Part(3) with { Received = 3 }) }, epoch: 2);
        Place(_host, 6);
        Assert.Equal(6, _host.Snapshot().Peers.Single().Forwarded);
    }

    [Fact]
    public void Take_CallOfAnEarlierActivation_HasNoEffectAndIsToldSo()
    {
        Tell(Report(3, grant: 0), epoch: 2);

        var reply = _peering.Take(Call(Report(9, grant: 3), epoch: 1), _host);
        Place(_host, 6);

        Assert.True(reply.IsSuperseded);
        Assert.Equal(2, reply.RegionEpoch);
        Assert.Empty(reply.Parts);
        Assert.Equal(0, _host.Snapshot().Peers.Single().Forwarded);
    }

    [Fact]
    public void Take_PoolBeganAnew_IsToldItsPeersAgain()
    {
        Tell(Report(3, grant: 0), epoch: 1);
        var next = Host(8);

        var reply = _peering.Take(Call(Report(4, grant: 3), epoch: 1), next);

        var part = Assert.Single(reply.Parts);
        Assert.Equal(Peer, part.Receiver);
        Assert.Equal(8, PartBytes.Read(part.Bytes)!.Epoch);
        Assert.Equal(Peer, next.Snapshot().Peers.Single().Region);
    }

    [Fact]
    public void Take_StreamBroken_NothingIsForwardedUntilTheNextReport()
    {
        Tell(Report(3, grant: 3) with { IsLost = true }, epoch: 1);
        Place(_host, 6);
        Assert.Equal(0, _host.Snapshot().Peers.Single().Forwarded);

        Tell(Report(4, grant: 3), epoch: 1);
        Place(_host, 6);
        Assert.Equal(3, _host.Snapshot().Peers.Single().Forwarded);
    }

    [Fact]
    public void Take_NoPool_GivesNoPart() => Assert.Empty(_peering.Take(Call(Report(3, grant: 3), epoch: 1), host: null).Parts);

    [Fact]
    public void PartBytes_ReadWhatWasWritten_IsTheSame()
    {
        var part = Part(2.5) with { Received = 12, OverflowPerSecond = 3, Waiting = [new WaitingCount(2, 4)], Models = ["a", "b"], HotPrefixes = [new HotPrefix(5, 2)] };

        var read = PartBytes.Read(PartBytes.Write(part))!;

        Assert.Equal((part.Pool, part.Epoch, part.Received, part.ReceivedEpoch), (read.Pool, read.Epoch, read.Received, read.ReceivedEpoch));
        Assert.Equal(part.Tiers.AsEnumerable(), read.Tiers);
        Assert.Equal(part.Waiting.AsEnumerable(), read.Waiting);
        Assert.Equal(part.Models.AsEnumerable(), read.Models);
        Assert.Equal(part.HotPrefixes.AsEnumerable(), read.HotPrefixes);
    }

    private static PoolReport Part(double grant) => new()
    {
        Pool = SimulatedEndpoints.PoolId,
        Epoch = 1,
        ReceivedEpoch = 7,
        Tiers = [new TierReport(BackendPreference.Default, 2, 2) { Spare = grant, Grant = grant, TargetCapacity = 8, Load = 0, Fullness = 0 }],
        MarginalWaitMs = 0,
        WaitLadderMs = [0, 0],
    };

    private static PeerNews Report(long sequence, double grant) => new()
    {
        Region = Peer, HasReport = true, Instance = 1, Sequence = sequence, HeardAgeTicks = 0, RoundTripTicks = TimeSpan.FromMilliseconds(1).Ticks, Part = PartBytes.Write(Part(grant)),
    };

    private static PoolExchange Call(PeerNews news, long epoch) => new() { Region = "home", Epoch = epoch, Peers = [Peer], News = [news] };

    private void Tell(PeerNews news, long epoch)
    {
        // A peer is believed after some reports in a row.
        if (epoch == 1 && news.Sequence == 3)
        {
            for (var i = 1; i <= 2; i++) _peering.Take(Call(Report(i, grant: 0), epoch), _host);
        }

        Assert.False(_peering.Take(Call(news, epoch), _host).IsSuperseded);
    }

    private PoolHost Host(long epoch)
    {
        var state = new PoolState(_config, _time, 1, new PoolStateOptions { Epoch = epoch, Locality = new Locality { Region = "home" } });
        foreach (var endpoint in _config.Backends[0].Endpoints) state.ApplyHealth(endpoint.Id, EndpointHealth.Healthy);
        var host = new PoolHost(state, static () => { });
        host.Reconfigure(_config, FrozenDictionary<EndpointId, EndpointMonitor>.Empty);
        return host;
    }

    private static List<RouteDecision> Place(PoolHost host, int requests)
    {
        var decisions = new List<RouteDecision>();
        for (var i = 0; i < requests; i++)
        {
            var request = new RouteRequest { RequestId = $"r{i}", Pool = SimulatedEndpoints.PoolId, Session = new GatewaySession("gateway", 1), FairnessId = "", PromptTokens = 100, IsStreaming = true };
            var decision = host.RouteAsync(in request, CancellationToken.None);
            if (decision.IsCompletedSuccessfully) decisions.Add(decision.Result);
        }

        return decisions;
    }
}
