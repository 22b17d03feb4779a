using Mesh.Core.Routing;
using Mesh.Core.SpillOver;
using Mesh.Engine;
using Mesh.Engine.Federation;
using Mesh.Grains.Contracts;
using Mesh.Grains.Federation;
using Mesh.Grains.Gateways;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.Grains.Tests.Federation;

/// <summary>A region of three silos with two gateways, and a peer region in memory.</summary>
public sealed class RegionGrainTests : IAsyncLifetime
{
    private const string Region = "west";
    private SimulatedEndpoints? _endpoints;
    private MeshCluster? _cluster;
    private PeerInMemory? _peer;
    private GrainEngine[] _gateways = [];
    private IFederation[] _federations = [];

    private PeerInMemory Peer => _peer!;

    private MeshCluster Cluster => _cluster!;

    public async Task InitializeAsync()
    {
        _endpoints = await SimulatedEndpoints.StartAsync(1);
        _peer = new PeerInMemory(SimulatedEndpoints.PoolId, Region);
        var settings = new FederationSettings { Name = Region, Region = Region, Peers = [PeerInMemory.Address] };
        _cluster = await MeshCluster.StartAsync(
            _endpoints.Config(inFlight: 1), silos: 3, federation: new GrainFederation(settings, _ => _peer.Connect()),
            engine: new EngineOptions { Pool = new PoolStateOptions { Locality = new Locality { Region = Region } } });
        _gateways = [_cluster.AddGateway(), _cluster.AddGateway()];
        _federations = [.. _gateways.Select(g => g.Join(settings, _ => _peer.Connect(), NullLoggerFactory.Instance))];
        foreach (var federation in _federations) federation.Start();
        _peer.Gateways.AddRange(_federations);
        _peer.Start();
        await LinkedAsync();
    }

    public async Task DisposeAsync()
    {
        foreach (var federation in _federations) await federation.DisposeAsync();
        await _peer!.DisposeAsync();
        await _cluster!.DisposeAsync();
        await _endpoints!.DisposeAsync();
    }

    [Fact]
    public async Task Follow_ThreeSilosAndTwoGateways_OneStreamOfReports()
    {
        Assert.Equal(1, Peer.Open);
        lock (Peer.Readers) Assert.Single(Peer.Readers.Distinct());
        Assert.All(_gateways, g => Assert.Equal(PeerReach.Healthy, Assert.Single(((IMeshEngine)g).Peers()).State));
        await Eventually.HoldsAsync(() => Peer.Heard?.Pools.SingleOrDefault()?.Tiers.SingleOrDefault() is { Healthy: 1 }, "the peer hears of the pool");
    }

    [Fact]
    public async Task Route_HomeIsFull_EitherGatewayForwardsAsManyAsAreGranted()
    {
        Peer.Grant = 4;
        await Eventually.HoldsAsync(() => _gateways.All(g => ((IMeshEngine)g).Peers()[0].Credits >= 4), "the credits are known");

        var decisions = new List<(GrainEngine Gateway, RouteDecision Decision)>();
        using var leave = new CancellationTokenSource();
        for (var i = 0; i < 5; i++) decisions.Add((_gateways[i % 2], await _gateways[i % 2].Router.RouteAsync(Request(i), leave.Token)));

        Assert.Equal(1, decisions.Count(d => d.Decision.Kind == RouteKind.Send));
        Assert.Equal(4, decisions.Count(d => d.Decision is { Kind: RouteKind.Forward, Region: PeerInMemory.Name }));
        Assert.All(_gateways, g => Assert.Contains(decisions, d => d.Gateway == g && d.Decision.Kind == RouteKind.Forward));
        await Eventually.HoldsAsync(() => ((IMeshEngine)_gateways[0]).Peers()[0].Forwarded == 4, "what is under way at the peer is shown");
        foreach (var (gateway, decision) in decisions) gateway.Router.Complete(SimulatedEndpoints.PoolId, decision.Lease, new RequestOutcome(OutcomeKind.Success));
        await Eventually.HoldsAsync(() => ((IMeshEngine)_gateways[0]).Peers()[0].Forwarded == 0, "nothing is left over");
        Assert.All(_gateways, g => Assert.Equal(0, g.HeldLeases));
    }

    [Fact]
    public async Task Route_FromThePeer_IsPlacedHereOrRefusedAtOnce()
    {
        RouteRequest Forwarded(int number) => Request(number) with { OriginRegion = PeerInMemory.Name, OriginEpoch = 5, OriginReason = DecisionReason.Overflow, Hops = 1 };

        var placed = await _gateways[0].Router.RouteAsync(Forwarded(1), CancellationToken.None);
        var refused = await _gateways[1].Router.RouteAsync(Forwarded(2), CancellationToken.None);

        Assert.Equal(RouteKind.Send, placed.Kind);
        Assert.Equal(RouteKind.Refuse, refused.Kind);
        await Eventually.HoldsAsync(() => Peer.Heard?.Pools.SingleOrDefault() is { Received: 2, ReceivedEpoch: 5 }, "the peer hears that both have arrived");
        _gateways[0].Router.Complete(SimulatedEndpoints.PoolId, placed.Lease, new RequestOutcome(OutcomeKind.Success));
    }

    [Fact]
    public async Task Kill_TheSiloThatStandsForTheRegion_AnotherFollowsThePeerOnce()
    {
        var silo = (await Cluster.Grains.GetGrain<IRegionGrain>(Region).Keep()).Silo;
        var before = _federations[0].Self.Epoch;

        await Cluster.Cluster.KillSiloAsync(Cluster.Cluster.Silos.First(s => s.SiloAddress.ToParsableString() == silo));

        await Eventually.HoldsAsync(() => _federations.All(f => f.Self.Epoch > before), "another activation stands for the region");
        await LinkedAsync();
        await Eventually.HoldsAsync(() => Peer.Open == 1, "there is one stream");
        lock (Peer.Readers) Assert.Equal([before, _federations[0].Self.Epoch], Peer.Readers.Distinct());
    }

    [Fact]
    public async Task Stop_TheSiloThatStandsForTheRegion_AnotherFollowsThePeerOnce()
    {
        var silo = (await Cluster.Grains.GetGrain<IRegionGrain>(Region).Keep()).Silo;
        var before = _federations[0].Self.Epoch;

        await Cluster.Cluster.StopSiloAsync(Cluster.Cluster.Silos.First(s => s.SiloAddress.ToParsableString() == silo));

        await Eventually.HoldsAsync(() => _federations.All(f => f.Self.Epoch > before), "another activation stands for the region");
        await LinkedAsync();
        await Eventually.HoldsAsync(() => Peer.Open == 1, "there is one stream");
        Assert.NotEqual(silo, (await Cluster.Grains.GetGrain<IRegionGrain>(Region).Keep()).Silo);
    }

    [Fact]
    public async Task Silence_OfThePeer_GatewaysLetGoOfWhatWaitsThere()
    {
        var reachable = _federations[1].ReachableToken(PeerInMemory.Name);
        Assert.False(reachable.IsCancellationRequested);

        await Peer.DisposeAsync();

        await Eventually.HoldsAsync(() => reachable.IsCancellationRequested, "the peer is given up");
        Assert.False(_federations[1].ReachableToken(PeerInMemory.Name).IsCancellationRequested);
    }

    private static RouteRequest Request(int number) => new()
    {
        RequestId = $"r{number}", Pool = SimulatedEndpoints.PoolId, Session = default, FairnessId = "", PromptTokens = 100, IsStreaming = true,
    };

    private async Task LinkedAsync()
    {
        await Eventually.HoldsAsync(() => Peer.State == PeerReach.Healthy && _federations.All(f => f.Peers().All(p => p.State == PeerReach.Healthy)), "the regions hear each other");
        await Eventually.HoldsAsync(() => _gateways.All(g => ((IMeshEngine)g).Snapshot().All(p => p.Backends.All(b => b.Endpoints.All(e => e.Health == Core.Endpoints.EndpointHealth.Healthy)))), "the endpoint is healthy");
    }
}
