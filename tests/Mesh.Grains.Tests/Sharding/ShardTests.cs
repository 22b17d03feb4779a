using Mesh.Core.Config;
using Mesh.Core.FlowControl;
using Mesh.Core.Routing;
using Mesh.Core.Sharding;
using Mesh.Grains.Contracts;
using Mesh.Grains.Gateways;
using Mesh.Grains.Hosting;
using Mesh.Grains.Pools;

namespace Mesh.Grains.Tests.Sharding;

/// <summary>A pool that is divided into shards, as gateways see it.</summary>
public sealed class ShardTests : IAsyncLifetime
{
    private const int Endpoints = 12;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private static readonly PoolId Pool = SimulatedEndpoints.PoolId;
    private SimulatedEndpoints _endpoints = null!;
    private MeshCluster? _cluster;

    private MeshCluster Cluster => _cluster!;

    public async Task InitializeAsync() => _endpoints = await SimulatedEndpoints.StartAsync(Endpoints);

    public async Task DisposeAsync()
    {
        if (_cluster is not null) await _cluster.DisposeAsync();
        await _endpoints.DisposeAsync();
    }

    [Fact]
    public async Task Route_FixedNumberOfShards_EveryEndpointHasOneShard_AndRequestsReachAll()
    {
        await StartAsync(shards: 3);
        var gateway = Cluster.AddGateway();
        await DividedAsync(gateway, 3);

        var decisions = new List<RouteDecision>();
        for (var i = 0; i < 240; i++) decisions.Add(await RouteAsync(gateway, prefix: (ulong)i + 1));

        Assert.All(decisions, d => Assert.Equal(RouteKind.Send, d.Kind));
        Assert.Equal(Endpoints, decisions.Select(d => d.Endpoint).Distinct().Count());
        Assert.Equal(240, decisions.Select(d => d.Lease).Distinct().Count());
        await Eventually.HoldsAsync(async () => await LeasesAsync(3) == 240, "all leases are counted");
        await Eventually.HoldsAsync(
            () => gateway.Snapshot()[0] is { Leases: 240, Shards.Length: 3 } snapshot && snapshot.Shards.Sum(s => s.Endpoints) == Endpoints, "one snapshot of all shards");
        foreach (var decision in decisions) Complete(gateway, decision);
        await Eventually.HoldsAsync(async () => await LeasesAsync(3) == 0, "nothing is left");
    }

    [Fact]
    public async Task Route_PoolAtItsLimit_ShardsTogetherPlaceExactlyThat_AndWhoWaitsGetsWhatComesFreeAnywhere()
    {
        await StartAsync(shards: 3, inFlight: 2);
        var gateways = new[] { Cluster.AddGateway(), Cluster.AddGateway() };
        foreach (var gateway in gateways) await DividedAsync(gateway, 3);

        // All begin alike, so that all of them want the same shard: the others have to lend it their room.
        var asked = Enumerable.Range(0, Endpoints * 2 + 6).Select(i => (Gateway: gateways[i % 2], Decision: RouteAsync(gateways[i % 2], prefix: 7))).ToArray();
        await Eventually.HoldsAsync(() => asked.Count(a => a.Decision.IsCompleted) == Endpoints * 2, "all places are taken");
        await Task.Delay(500);
        var placed = asked.Where(a => a.Decision.IsCompleted).ToArray();
        Assert.Equal(Endpoints * 2, placed.Length);
        var map = gateways[0].Links.Links[Pool].Map;
        Assert.All(placed.GroupBy(a => map.OwnerOf(a.Decision.Result.Endpoint)), g => Assert.Equal(2 * _endpoints.Ids.Count(e => map.OwnerOf(e) == g.Key), g.Count()));

        foreach (var (gateway, decision) in placed) Complete(gateway, await decision);
        foreach (var (gateway, decision) in asked.Except(placed))
        {
            var late = await decision.WaitAsync(Deadline);
            Assert.True(late.Kind == RouteKind.Send, $"{late.Reason}");
            Complete(gateway, late);
        }
        await Eventually.HoldsAsync(async () => await LeasesAsync(3) == 0, "nothing is left");
    }

    [Fact]
    public async Task Route_SamePrefix_StaysWithOneShard_WhileItIsNotMuchFuller()
    {
        await StartAsync(shards: 3);
        var gateway = Cluster.AddGateway();
        await DividedAsync(gateway, 3);
        var map = gateway.Links.Links[Pool].Map;

        // A shard may have none of so few endpoints.
        var prefix = Enumerable.Range(4711, 100).Select(i => (ulong)i).First(p => _endpoints.Ids.Any(e => map.OwnerOf(e) == map.CandidatesFor(p).First));
        for (var i = 0; i < 20; i++)
        {
            var decision = await RouteAsync(gateway, prefix);
            Assert.Equal(map.CandidatesFor(prefix).First, map.OwnerOf(decision.Endpoint));
            Complete(gateway, decision);
        }
    }

    [Fact]
    public async Task Route_ListedAndStickyEndpoints_AreFoundInTheirShards()
    {
        await StartAsync(shards: 3);
        var gateway = Cluster.AddGateway();
        await DividedAsync(gateway, 3);

        foreach (var endpoint in _endpoints.Ids)
        {
            var listed = await RouteAsync(gateway, 1, r => r with { Subset = [endpoint] });
            var sticky = await RouteAsync(gateway, 1, r => r with { AffinityEndpoint = endpoint });
            Assert.Equal((endpoint, endpoint), (listed.Endpoint, sticky.Endpoint));
            Complete(gateway, listed);
            Complete(gateway, sticky);
        }

        var allButOne = _endpoints.Ids.Skip(1).ToArray();
        Assert.Equal(_endpoints.Ids[0], (await RouteAsync(gateway, 1, r => r with { Excluded = [.. allButOne] })).Endpoint);
        Assert.Equal(DecisionReason.AllAttemptsFailed, (await RouteAsync(gateway, 1, r => r with { Excluded = [.. _endpoints.Ids] })).Reason);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task KillSilo_ThatHasAShard_CountsAreExactAgain_AndTheDivisionStays(int shard)
    {
        // Long enough for every gateway to announce itself on a busy machine.
        await StartAsync(shards: 3, inFlight: 2, silos: 3, adjust: o => o with { SettleTime = TimeSpan.FromSeconds(2) });
        var gateways = new[] { Cluster.AddGateway(), Cluster.AddGateway() };
        foreach (var gateway in gateways) await DividedAsync(gateway, 3);
        var running = new List<(GrainEngine Gateway, RouteDecision Decision)>();
        for (var i = 0; i < Endpoints * 2; i++) running.Add((gateways[i % 2], await RouteAsync(gateways[i % 2], (ulong)i)));
        var waiting = new[] { RouteAsync(gateways[0], 1), RouteAsync(gateways[1], 2), RouteAsync(gateways[0], 3) };
        var before = (await Shard(shard).Keep()).Epoch;

        var silo = (await Shard(shard).Keep()).Silo;
        await Cluster.Cluster.KillSiloAsync(Cluster.Cluster.Silos.First(s => s.SiloAddress.ToParsableString() == silo));

        await Eventually.HoldsAsync(async () => (await Shard(shard).Keep()).Epoch > before && await LeasesAsync(3) == Endpoints * 2, "as many leases as before");
        Assert.All(waiting, w => Assert.False(w.IsCompleted));
        foreach (var (gateway, decision) in running) Complete(gateway, decision);
        foreach (var (i, decision) in waiting.Index()) Complete(gateways[i % 2], await decision.WaitAsync(Deadline));
        await Eventually.HoldsAsync(async () => await LeasesAsync(3) == 0, "nothing is left");
        Assert.All(gateways, g => Assert.Equal(3, g.Links.Links[Pool].Map.Count));
    }

    [Fact]
    public async Task SplitAndJoin_UnderLoad_NothingIsLostOrPlacedTwice_AndNoLimitIsPassed()
    {
        // Any work at all makes it split, and none join. A busy machine hands over slowly.
        var slow = TimeSpan.FromSeconds(8);
        await StartAsync(shards: 1, inFlight: 2, adjust: o => o with
        {
            Sharding = new ShardingOptions
            {
                MostShards = 2, SplitAbove = 0.01, SplitAfter = TimeSpan.Zero, JoinBelow = 0.002, JoinAfter = TimeSpan.FromSeconds(1), MapAge = slow, Patience = slow,
            },
        });
        var gateways = new[] { Cluster.AddGateway(), Cluster.AddGateway() };
        foreach (var gateway in gateways) await HealthyAsync(gateway);
        var load = new LimitWatch(Endpoints * 2);

        var running = load.Run(gateways, callers: 40);
        await Eventually.HoldsAsync(() => gateways.All(g => g.Links.Links[Pool].Map is { Count: 2, IsMoving: false }), "split");
        var then = load.Placed;
        // Until then an endpoint that moved may have brought more than its share.
        load.Measure();
        await Eventually.HoldsAsync(() => load.Placed > then + 500, "both shards place requests");
        await load.StopAsync(running);
        Assert.Equal("", load.Failures);
        await Eventually.HoldsAsync(async () => await LeasesAsync(2) == 0, "nothing is left after the split");

        await Eventually.HoldsAsync(() => gateways.All(g => g.Links.Links[Pool].Map.Count == 1), "joined");
        running = load.Run(gateways, callers: 40);
        load.Measure();
        then = load.Placed;
        await Eventually.HoldsAsync(() => load.Placed > then + 500, "one shard places requests again");
        await load.StopAsync(running);
        Assert.Equal("", load.Failures);
        await Eventually.HoldsAsync(async () => await LeasesAsync(2) == 0, "nothing is left after the join");
    }

    private static void Complete(GrainEngine gateway, RouteDecision decision) =>
        gateway.Router.Complete(Pool, decision.Lease, new RequestOutcome(OutcomeKind.Success));

    private static Task<RouteDecision> RouteAsync(GrainEngine gateway, ulong prefix, Func<RouteRequest, RouteRequest>? adjust = null)
    {
        var request = new RouteRequest
        {
            RequestId = "r", Pool = Pool, Session = gateway.Session, FairnessId = "", PromptTokens = 10, MaxOutputTokens = 10, PrefixChain = new[] { prefix },
        };
        return gateway.Router.RouteAsync(adjust?.Invoke(request) ?? request, default).AsTask().WaitAsync(Deadline);
    }

    private static Task DividedAsync(GrainEngine gateway, int shards) => Eventually.HoldsAsync(
        () => gateway.Links.Links[Pool] is { } pool && pool.Map.Count == shards && pool.Links.All(l => l.IsAnnounced)
            && pool.Links.Sum(l => l.LoadNow.Endpoints) == Endpoints
            && gateway.Snapshot()[0].Backends.Sum(b => b.HealthyEndpoints) == Endpoints,
        $"{shards} shards, and all endpoints healthy");

    private async Task<int> LeasesAsync(int shards)
    {
        var leases = 0;
        for (var shard = 0; shard < shards; shard++) leases += (await Shard(shard).Keep()).Leases;
        return leases;
    }

    private IPoolGrain Shard(int shard) => Cluster.Grains.GetGrain<IPoolGrain>(PoolKey.Of(Pool, shard));

    private static Task HealthyAsync(GrainEngine gateway) =>
        Eventually.HoldsAsync(() => gateway.Snapshot()[0].Backends.Sum(b => b.HealthyEndpoints) == Endpoints, "all endpoints are healthy");

    private async Task StartAsync(int shards, int? inFlight = null, short silos = 2, Func<GrainOptions, GrainOptions>? adjust = null)
    {
        GrainOptions Adjust(GrainOptions options)
        {
            options = options with { Sharding = new ShardingOptions { Shards = shards, MostShards = shards } };
            return adjust?.Invoke(options) ?? options;
        }

        _cluster = await MeshCluster.StartAsync(_endpoints.Config(inFlight, new FlowControlSettings { WhenFull = WhenFull.Queue }), silos, Adjust);
    }
}
