using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.FlowControl;
using Mesh.Core.Leases;
using Mesh.Core.Regions.Reports;
using Mesh.Core.Routing;
using Mesh.Core.SpillOver;
using Mesh.Testing;

namespace Mesh.Core.Tests.Sharding;

/// <summary>One shard of a pool, with another shard and a region as its peers.</summary>
public sealed class ShardAmongRegionsTests
{
    private const string Sibling = "#1";
    private const string Region = "far";
    private static readonly GatewaySession Session = new("gateway", 1);
    private readonly ManualTimeProvider _time = new();
    private readonly Dictionary<string, long> _sequences = [];
    private readonly PoolState _state;

    public ShardAmongRegionsTests()
    {
        var config = PoolFixture.Config(2) with
        {
            FlowControl = new FlowControlSettings { WhenFull = WhenFull.Queue },
            Backends = [PoolFixture.Config(2).Backends[0] with { Region = "home", Settings = new BackendSettings { Mode = BalancingMode.InFlight, MaxInFlightPerEndpoint = 10 } }],
        };
        _state = new PoolState(config, _time, 1, new PoolStateOptions { Epoch = 16, Shard = "#0", Locality = new Locality { Region = "home" } });
        foreach (var endpoint in config.Backends[0].Endpoints) _state.ApplyHealth(endpoint.Id, EndpointHealth.Healthy);
        _state.SetPeers([Sibling, Region]);
        _state.ApplyRoundTrip(Sibling, TimeSpan.FromMilliseconds(1));
        _state.ApplyRoundTrip(Region, TimeSpan.FromMilliseconds(20));
    }

    [Fact]
    public void BuildReport_BothOverflow_TheOwnPoolsShardComesFirst()
    {
        // 80 a second are 20 in the time that a shard needs to hear of the next division: all there is.
        Report(Sibling, Part(overflow: 80));
        Report(Region, Part(overflow: 800));

        Assert.Equal((20, 0), (Granted(Sibling), Granted(Region)));
    }

    [Fact]
    public void BuildReport_ShardNeedsAFew_TheRestGoesByWhatOverflows()
    {
        Report(Sibling, Part(overflow: 40));
        Report(Region, Part(overflow: 40));

        // Ten for the shard, and of the ten that are left half for each.
        Assert.Equal((15, 5), (Granted(Sibling), Granted(Region)));
    }

    [Fact]
    public void BuildReport_ShardHasWhoWaits_ItGetsPlacesBeforeHigherPrioritiesElsewhere()
    {
        Report(Sibling, Part() with { Waiting = [new WaitingCount(0, 20)] });
        Report(Region, Part() with { Waiting = [new WaitingCount(5, 20)] });

        Assert.Equal((20, 0), (Granted(Sibling), Granted(Region)));
    }

    [Fact]
    public void BuildReport_WhatAShardTakes_IsNoOverflowForRegions()
    {
        Report(Sibling, Part(grant: 5));
        Report(Region, Part(grant: 3));
        for (var i = 0; i < 28; i++) Route();

        // Eight in a tenth of a second, five of them to the shard.
        Assert.Equal(30, _state.BuildReport(Region).OverflowPerSecond);
        Assert.Equal(80, _state.BuildReport(Sibling).OverflowPerSecond);
    }

    [Fact]
    public void Route_ToARegion_GoesByTheAccountThatShardsHaveInCommon()
    {
        Report(Region, Part(grant: 30));
        for (var i = 0; i < 20; i++) Route();
        Assert.Equal((RouteKind.Forward, 16), (Route().Kind, Route().OriginEpoch));

        _state.BeginAccount(40);
        Assert.Equal(RouteKind.Wait, Route().Kind);
        Report(Region, Part(grant: 30) with { ReceivedEpoch = 40 });
        var forwarded = Route();

        // The one that waited has gone, too.
        Assert.Equal((RouteKind.Forward, 40, 16), (forwarded.Kind, forwarded.OriginEpoch, forwarded.Lease.Epoch));
        Assert.Equal((40, 2, 4), (_state.AccountWith(Region).Account, _state.AccountWith(Region).Sent, _state.AccountWith(Region).Awaited));
        Assert.Equal(4, _state.Snapshot().Peers.Single(p => p.Region == Region).Forwarded);
    }

    [Fact]
    public void Route_ToAShard_KeepsTheEpochOfTheState()
    {
        _state.BeginAccount(40);
        Report(Sibling, Part(grant: 30));
        for (var i = 0; i < 20; i++) Route();

        Assert.Equal((RouteKind.Forward, 16), (Route().Kind, Route().OriginEpoch));
    }

    [Fact]
    public void BeginAccount_NotAboveThePresent_HasNoEffect()
    {
        Report(Region, Part(grant: 30));
        _state.BeginAccount(16);
        _state.BeginAccount(3);
        for (var i = 0; i < 20; i++) Route();

        Assert.Equal(RouteKind.Forward, Route().Kind);
        Assert.Equal(16, _state.Account);
    }

    [Fact]
    public void Route_TentativeAndFull_CountsNeitherAsArrivedNorAsInVain()
    {
        Report(Region, Part());
        for (var i = 0; i < 20; i++) Route();

        Assert.Equal(DecisionReason.PeerFull, FromRegion(isTentative: true).Reason);
        Assert.Equal(0, _state.BuildReport(Region).Received);
        Assert.Equal(DecisionReason.PeerFull, FromRegion(isTentative: false).Reason);
        _time.Advance(TimeSpan.FromMilliseconds(100));
        Assert.Equal((1, 9), (_state.BuildReport(Region).Received, _state.BuildReport(Region).ReceivedEpoch));
    }

    [Fact]
    public void Route_TentativeAndPlaced_HasArrived()
    {
        Report(Region, Part());

        Assert.Equal(RouteKind.Send, FromRegion(isTentative: true).Kind);
        Assert.Equal(1, _state.BuildReport(Region).Received);
    }

    private RouteDecision Route() => _state.Route(Request());

    private RouteDecision FromRegion(bool isTentative) =>
        _state.Route(Request() with { OriginRegion = Region, OriginEpoch = 9, OriginReason = DecisionReason.Overflow, Hops = 1, IsTentative = isTentative });

    private static RouteRequest Request() => new()
    {
        RequestId = "r", Pool = PoolFixture.PoolName, Session = Session, FairnessId = "", PromptTokens = 100, IsStreaming = true,
    };

    private double Granted(string receiver) => _state.BuildReport(receiver).Tiers.Sum(t => t.Grant);

    private void Report(string region, PoolReport part)
    {
        for (var i = 0; i < 3; i++)
        {
            var sequence = _sequences[region] = _sequences.GetValueOrDefault(region) + 1;
            _state.ApplyPeer(new RegionReport { Region = region, Instance = 1, Sequence = sequence, HeardAge = TimeSpan.Zero }, part);
        }
    }

    private static PoolReport Part(double overflow = 0, double grant = 0) => new()
    {
        Pool = PoolFixture.PoolName,
        Epoch = 1,
        ReceivedEpoch = 16,
        OverflowPerSecond = overflow,
        Tiers = [new TierReport(BackendPreference.Default, 2, 2) { TargetCapacity = 100, Load = 0, Fullness = 0, Spare = grant, Grant = grant }],
        MarginalWaitMs = 0,
        WaitLadderMs = [0, 0],
    };
}
