using Mesh.Core.Config;
using Mesh.Core.FlowControl;
using Mesh.Core.Routing;
using Mesh.Core.Sharding;
using Mesh.Core.SpillOver;
using Mesh.Engine;
using Mesh.Engine.Federation;
using Mesh.Grains.Contracts;
using Mesh.Grains.Federation;
using Mesh.Grains.Gateways;
using Mesh.Grains.Pools;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.Grains.Tests.Federation;

/// <summary>A region of three silos whose pool is divided into two shards, with two gateways and a peer region in memory.</summary>
public sealed class ShardedRegionTests : IAsyncLifetime
{
    private const string Region = "west";
    private const int Endpoints = 8;
    private const int Capacity = 2 * Endpoints;
    private const int Shards = 2;
    private static readonly PoolId Pool = SimulatedEndpoints.PoolId;
    private SimulatedEndpoints _endpoints = null!;
    private MeshCluster _cluster = null!;
    private PeerInMemory _peer = null!;
    private GrainFederation _federation = null!;
    private GrainEngine[] _gateways = [];
    private IFederation[] _federations = [];

    public async Task InitializeAsync()
    {
        _endpoints = await SimulatedEndpoints.StartAsync(Endpoints);
        _peer = new PeerInMemory(Pool, Region);
        var settings = new FederationSettings { Name = Region, Region = Region, Peers = [PeerInMemory.Address] };
        _federation = new GrainFederation(settings, _ => _peer.Connect());
        _cluster = await MeshCluster.StartAsync(
            _endpoints.Config(inFlight: 2, new FlowControlSettings { WhenFull = WhenFull.Queue }), silos: 3,
            adjust: o => o with { Sharding = new ShardingOptions { Shards = Shards, MostShards = Shards }, SettleTime = TimeSpan.FromSeconds(2) },
            engine: new EngineOptions { Pool = new PoolStateOptions { Locality = new Locality { Region = Region } } }, federation: _federation);
        _gateways = [_cluster.AddGateway(), _cluster.AddGateway()];
        _federations = [.. _gateways.Select(g => g.Join(settings, _ => _peer.Connect(), NullLoggerFactory.Instance))];
        foreach (var federation in _federations) federation.Start();
        _peer.Gateways.AddRange(_federations);
        _peer.Start();
        await LinkedAsync();
        foreach (var gateway in _gateways) await DividedAsync(gateway);
    }

    public async Task DisposeAsync()
    {
        foreach (var federation in _federations) await federation.DisposeAsync();
        await _peer.DisposeAsync();
        await _cluster.DisposeAsync();
        await _endpoints.DisposeAsync();
    }

    [Fact]
    public async Task Report_OfTwoShards_IsOneOfThePool()
    {
        await Eventually.HoldsAsync(
            () => _peer.Heard?.Pools.SingleOrDefault()?.Tiers.SingleOrDefault() is { Endpoints: Endpoints, Healthy: Endpoints, TargetCapacity: Capacity } tier && tier.Grant >= 1,
            "the peer hears of the whole pool");
        // The peer says nothing of its needs: what is free is divided between it and the shards, and never more than there is.
        Assert.InRange(_peer.Heard!.Pools[0].Tiers[0].Grant, 1, Capacity);
    }

    [Fact]
    public async Task Route_BothShardsAreFull_AsManyAsAreGrantedGoToThePeer_UnderOneAccount()
    {
        const int Granted = 6;
        var running = await FillAsync();
        _peer.Grant = Granted;

        var asked = Enumerable.Range(0, 20).Select(i => (Gateway: _gateways[i % 2], Decision: RouteAsync(_gateways[i % 2], (ulong)i + 1))).ToArray();
        await Eventually.HoldsAsync(() => asked.Count(a => a.Decision.IsCompleted) == Granted, "what is granted is used");
        await Task.Delay(700);

        var forwarded = asked.Where(a => a.Decision.IsCompleted).Select(a => a.Decision.Result).ToArray();
        Assert.Equal(Granted, forwarded.Length);
        Assert.All(forwarded, d => Assert.Equal((RouteKind.Forward, PeerInMemory.Name), (d.Kind, d.Region)));
        Assert.Single(forwarded.Select(d => d.OriginEpoch).Distinct());
        await Eventually.HoldsAsync(() => _gateways.All(g => g.Snapshot()[0].Peers is [{ Region: PeerInMemory.Name, InFlight: Granted, Forwarded: Granted }]), "one row of all shards");

        // What has arrived makes way for the next.
        _peer.Count(forwarded[0].OriginEpoch, Granted);
        await Eventually.HoldsAsync(() => asked.Count(a => a.Decision.IsCompleted) == 2 * Granted, "as many again");
        await Task.Delay(300);
        Assert.Equal(2 * Granted, asked.Count(a => a.Decision.IsCompleted));

        _peer.Grant = 0;
        foreach (var (gateway, decision) in running) Complete(gateway, decision);
        foreach (var (gateway, decision) in asked) Complete(gateway, await decision.WaitAsync(TimeSpan.FromSeconds(60)));
        await Eventually.HoldsAsync(async () => await LeasesAsync() == 0, "nothing is left");
    }

    [Fact]
    public async Task Route_FromThePeer_IsPlacedWhereverThereIsRoom_OrRefusedOnce()
    {
        await Eventually.HoldsAsync(() => _peer.Heard?.Pools.SingleOrDefault()?.Tiers.SingleOrDefault() is { Healthy: Endpoints }, "the peer hears of the pool");
        var decisions = new List<(GrainEngine Gateway, RouteDecision Decision)>();
        for (var i = 0; i < Capacity + 4; i++)
        {
            // All begin alike: their shard has room for half of them.
            var gateway = _gateways[i % 2];
            decisions.Add((gateway, await RouteAsync(gateway, prefix: 7, r => r with { OriginRegion = PeerInMemory.Name, OriginEpoch = 5, OriginReason = DecisionReason.Overflow, Hops = 1 })));
        }

        var placed = decisions.Where(d => d.Decision.Kind == RouteKind.Send).ToArray();
        Assert.Equal(Capacity, placed.Length);
        var map = _gateways[0].Links.Links[Pool].Map;
        Assert.All(placed.GroupBy(d => map.OwnerOf(d.Decision.Endpoint)), g => Assert.Equal(2 * _endpoints.Ids.Count(e => map.OwnerOf(e) == g.Key), g.Count()));
        Assert.All(decisions.Except(placed), d => Assert.Equal(DecisionReason.PeerFull, d.Decision.Reason));
        await Eventually.HoldsAsync(() => _peer.Heard!.Pools.Single() is { Received: Capacity + 4, ReceivedEpoch: 5 }, "each has arrived once, refused ones too");
        await Eventually.HoldsAsync(() => _gateways[0].Snapshot()[0].Peers is [{ Hosted: Capacity, Received: Capacity + 4 }], "one row of all shards");
        foreach (var (gateway, decision) in placed) Complete(gateway, decision);
        await Eventually.HoldsAsync(async () => await LeasesAsync() == 0, "nothing is left");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task KillSilo_ThatHasAShard_CountsOfBothRegionsAreExactAgain(int shard)
    {
        const int Granted = 6;
        var running = await FillAsync();
        _peer.Grant = Granted;
        var asked = Enumerable.Range(0, Granted).Select(i => (Gateway: _gateways[i % 2], Decision: RouteAsync(_gateways[i % 2], (ulong)i + 1))).ToArray();
        foreach (var (_, decision) in asked) Assert.Equal(RouteKind.Forward, (await decision).Kind);
        _peer.Grant = 0;
        var before = (await Shard(shard).Keep()).Epoch;

        var silo = (await Shard(shard).Keep()).Silo;
        await _cluster.Cluster.KillSiloAsync(_cluster.Cluster.Silos.First(s => s.SiloAddress.ToParsableString() == silo));

        await Eventually.HoldsAsync(async () => (await Shard(shard).Keep()).Epoch > before && await LeasesAsync() == Capacity + Granted, "as many leases as before, at home and at the peer");
        await LinkedAsync();
        await Eventually.HoldsAsync(() => _gateways.All(g => g.Snapshot()[0].Peers is [{ InFlight: Granted }]), "what is with the peer is known");

        // Another account has begun: what the peer counted by the one before does not matter, and what it grants is used once.
        _peer.Grant = 2;
        var late = Enumerable.Range(0, 4).Select(i => (Gateway: _gateways[i % 2], Decision: RouteAsync(_gateways[i % 2], (ulong)i + 100))).ToArray();
        await Eventually.HoldsAsync(() => late.Count(a => a.Decision.IsCompleted) == 2, "what is granted is used");
        await Task.Delay(500);
        Assert.Equal(2, late.Count(a => a.Decision.IsCompleted));
        Assert.All(late.Where(a => a.Decision.IsCompleted), a => Assert.True(a.Decision.Result.OriginEpoch > asked[0].Decision.Result.OriginEpoch));

        _peer.Grant = 0;
        foreach (var (gateway, decision) in running) Complete(gateway, decision);
        foreach (var (gateway, decision) in asked.Concat(late)) Complete(gateway, await decision.WaitAsync(TimeSpan.FromSeconds(60)));
        await Eventually.HoldsAsync(async () => await LeasesAsync() == 0, "nothing is left");
    }

    [Fact]
    public async Task SetPeers_PeerLeavesAndComesBack_WithoutARestart()
    {
        void Set(params PeerAddress[] peers)
        {
            _federation.SetPeers([.. peers]);
            foreach (var federation in _federations) federation.SetPeers([.. peers]);
        }

        var running = await FillAsync();
        var reachable = _federations[0].ReachableToken(PeerInMemory.Name);
        Set();
        Assert.True(reachable.IsCancellationRequested);
        Assert.All(_federations, f => Assert.NotNull(f.Objection(new PeerIdentity(PeerInMemory.Name, PeerInMemory.Name, FederationHub.Protocol, 1, ""))));
        await Eventually.HoldsAsync(() => _peer.Open == 0 && _gateways.All(g => ((IMeshEngine)g).Peers().IsEmpty && g.Snapshot()[0].Peers.IsEmpty), "the peer is gone");
        _peer.Grant = 5;
        var waiting = RouteAsync(_gateways[0], 1);
        await Task.Delay(500);
        Assert.False(waiting.IsCompleted);

        Set(PeerInMemory.Address);
        await LinkedAsync();
        Assert.Equal(1, _peer.Open);
        Assert.Equal(RouteKind.Forward, (await waiting.WaitAsync(TimeSpan.FromSeconds(60))).Kind);
        Complete(_gateways[0], await waiting);
        foreach (var (gateway, decision) in running) Complete(gateway, decision);
        await Eventually.HoldsAsync(async () => await LeasesAsync() == 0, "nothing is left");
    }

    // All places at home, before the peer grants any.
    private async Task<List<(GrainEngine Gateway, RouteDecision Decision)>> FillAsync()
    {
        var running = new List<(GrainEngine, RouteDecision)>();
        for (var i = 0; i < Capacity; i++)
        {
            var decision = await RouteAsync(_gateways[i % 2], (ulong)i + 1);
            Assert.Equal(RouteKind.Send, decision.Kind);
            running.Add((_gateways[i % 2], decision));
        }

        return running;
    }

    private static Task<RouteDecision> RouteAsync(GrainEngine gateway, ulong prefix, Func<RouteRequest, RouteRequest>? adjust = null)
    {
        var request = new RouteRequest
        {
            RequestId = "r", Pool = Pool, Session = gateway.Session, FairnessId = "", PromptTokens = 10, MaxOutputTokens = 10, IsStreaming = true, PrefixChain = new[] { prefix },
        };
        return gateway.Router.RouteAsync(adjust?.Invoke(request) ?? request, default).AsTask();
    }

    private static void Complete(GrainEngine gateway, RouteDecision decision) =>
        gateway.Router.Complete(Pool, decision.Lease, new RequestOutcome(OutcomeKind.Success));

    private async Task<int> LeasesAsync()
    {
        var leases = 0;
        for (var shard = 0; shard < Shards; shard++) leases += (await Shard(shard).Keep()).Leases;
        return leases;
    }

    private IPoolGrain Shard(int shard) => _cluster.Grains.GetGrain<IPoolGrain>(PoolKey.Of(Pool, shard));

    private static Task DividedAsync(GrainEngine gateway) => Eventually.HoldsAsync(
        () => gateway.Links.Links[Pool] is { } pool && pool.Map.Count == Shards && pool.Links.All(l => l.IsAnnounced && l.LoadNow.Endpoints > 0)
            && pool.Links.Sum(l => l.LoadNow.Endpoints) == Endpoints && gateway.Snapshot()[0].Backends.Sum(b => b.HealthyEndpoints) == Endpoints,
        "two shards, and all endpoints healthy");

    private Task LinkedAsync() => Eventually.HoldsAsync(
        () => _peer.State == PeerReach.Healthy && _federations.All(f => f.Peers() is [{ State: PeerReach.Healthy }]), "the regions hear each other");
}
