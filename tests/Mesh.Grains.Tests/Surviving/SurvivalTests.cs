using System.Diagnostics.Metrics;
using Mesh.Core.Config;
using Mesh.Core.Routing;
using Mesh.Engine;
using Mesh.Engine.Telemetry;
using Mesh.Grains.Gateways;
using Mesh.Grains.Hosting;
using Mesh.Grains.Snapshots;

namespace Mesh.Grains.Tests;

/// <summary>Silos and gateways that come and go.</summary>
public sealed class SurvivalTests : IAsyncLifetime
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private static readonly PoolId Pool = SimulatedEndpoints.PoolId;
    private SimulatedEndpoints _endpoints = null!;
    private MeshCluster? _cluster;

    private MeshCluster Cluster => _cluster!;

    public async Task InitializeAsync() => _endpoints = await SimulatedEndpoints.StartAsync(4);

    public async Task DisposeAsync()
    {
        if (_cluster is not null) await _cluster.DisposeAsync();
        await _endpoints.DisposeAsync();
    }

    [Fact]
    public async Task KillSilo_ThatHasThePool_LeasesAndWaitsAreExactAgain()
    {
        // Long enough for every gateway to announce itself on a busy machine.
        _cluster = await MeshCluster.StartAsync(_endpoints.Config(inFlight: 2), adjust: o => o with { SettleTime = TimeSpan.FromSeconds(2) });
        var gateways = new[] { Cluster.AddGateway(), Cluster.AddGateway() };
        await HealthyAsync(gateways[0]);
        var running = new List<(GrainEngine Gateway, RouteDecision Decision)>();
        for (var i = 0; i < 8; i++) running.Add((gateways[i % 2], await RouteAsync(gateways[i % 2])));
        var waiting = new[] { RouteAsync(gateways[0]), RouteAsync(gateways[1]) };
        await Eventually.HoldsAsync(async () => await Cluster.Pool(Pool).Keep() is { Leases: 8, WaitingCalls: 2 }, "eight run, two wait");
        var before = await Cluster.Pool(Pool).Keep();

        await Cluster.Cluster.KillSiloAsync(await Cluster.SiloOfAsync(Pool));

        await Eventually.HoldsAsync(
            async () => await Cluster.Pool(Pool).Keep() is { Leases: 8, WaitingCalls: 2 } after && after.Epoch > before.Epoch, "the same elsewhere");
        Assert.All(waiting, w => Assert.False(w.IsCompleted));
        foreach (var (gateway, decision) in running) Complete(gateway, decision);
        foreach (var (i, gateway) in gateways.Index()) Complete(gateway, await waiting[i].WaitAsync(Deadline));
        await Eventually.HoldsAsync(async () => await Cluster.Pool(Pool).Keep() is { Leases: 0, WaitingCalls: 0 }, "nothing is left");
    }

    [Fact]
    public async Task KillSilo_ThatHasThePool_TheWorkOutstandingIsTheSame()
    {
        _cluster = await MeshCluster.StartAsync(_endpoints.Config(), silos: 2, adjust: o => o with { SettleTime = TimeSpan.FromSeconds(2) });
        var gateways = new[] { Cluster.AddGateway(), Cluster.AddGateway() };
        await HealthyAsync(gateways[0]);
        var held = new List<RouteDecision>();
        for (var i = 0; i < 8; i++) held.Add(await RouteAsync(gateways[i % 2], promptTokens: 60_000));
        gateways[0].Router.ReportFirstByte(Pool, held[0].Lease);
        await Eventually.HoldsAsync(
            async () => SnapshotJson.ReadPool(await Cluster.Pool(Pool).Snapshot()).Backends[0].Endpoints.Sum(e => e.InFlightPrefillTokens) == 7 * 60_000, "one has begun to be answered");
        var before = await BusyUntilAsync();
        Assert.True(held.Sum(d => d.Work.PromptMs) > 10_000, "long prompts");

        await Cluster.Cluster.KillSiloAsync(await Cluster.SiloOfAsync(Pool));

        await Eventually.HoldsAsync(async () => await Cluster.Pool(Pool).Keep() is { Leases: 8 }, "the same elsewhere");
        var after = await BusyUntilAsync();
        Assert.Equal(before.Keys, after.Keys);
        // Times on a busy machine: between writing and reading, and on the way; without what was announced all would be idle.
        Assert.All(before, b => Assert.InRange(after[b.Key] - b.Value, -1000, 1000));
    }

    [Fact]
    public async Task StopSilo_ThatHasThePool_EveryRequestIsPlaced()
    {
        await StartAsync();
        var gateway = Cluster.AddGateway();
        await HealthyAsync(gateway);
        using var stop = new CancellationTokenSource();
        var placed = 0;
        var load = Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                var decision = await RouteAsync(gateway);
                Assert.True(decision.Kind == RouteKind.Send, $"{decision.Reason}");
                Interlocked.Increment(ref placed);
                await Task.Delay(5);
                Complete(gateway, decision);
            }
        })));
        await Eventually.HoldsAsync(() => placed > 50, "requests are placed");

        await Cluster.Cluster.StopSiloAsync(await Cluster.SiloOfAsync(Pool));

        var then = placed;
        await Eventually.HoldsAsync(() => placed > then + 50, "requests are placed elsewhere");
        await stop.CancelAsync();
        await load.WaitAsync(Deadline);
        await Eventually.HoldsAsync(async () => (await Cluster.Pool(Pool).Keep()).Leases == 0, "nothing is left");
    }

    [Fact]
    public async Task Start_WithoutARequest_EveryGrainRuns_AndAgainAfterASiloDied()
    {
        await StartAsync();
        GrainId[] all =
        [
            GrainId.Create("mesh.pool", Pool.ToString()), GrainId.Create("mesh.region", "west"), GrainId.Create("mesh.cluster", "gke-west"),
            .. _endpoints.Ids.Select(e => GrainId.Create("mesh.endpoint", e.Address)),
        ];
        await Eventually.HoldsAsync(() => all.All(id => Cluster.Cluster.TryGetGrainContext(id, out _)), "all run");

        Assert.True(Cluster.Cluster.TryGetGrainContext(all[^1], out var last));
        await Cluster.Cluster.KillSiloAsync(Cluster.Cluster.GetSiloForAddress(last!.Address.SiloAddress!)!);

        await Eventually.HoldsAsync(() => all.All(id => Cluster.Cluster.TryGetGrainContext(id, out _)), "all run again");
    }

    [Fact]
    public async Task GatewayDies_ItsLeasesComeBack()
    {
        await StartAsync(engine: new EngineOptions
        {
            HeartbeatInterval = TimeSpan.FromMilliseconds(300), Pool = new PoolStateOptions { SessionTimeout = TimeSpan.FromSeconds(1) },
        });
        // One that gives no sign of life by itself.
        var dead = Cluster.AddGateway(o => o with { KeepsTime = false });
        var live = Cluster.AddGateway();
        await HealthyAsync(live);
        dead.Keep();
        Assert.Equal(RouteKind.Send, (await RouteAsync(dead)).Kind);
        var held = await RouteAsync(live);

        await Eventually.HoldsAsync(async () => (await Cluster.Pool(Pool).Keep()).Leases == 1, "one lease is left");

        await Task.Delay(1500);
        Assert.Equal(1, (await Cluster.Pool(Pool).Keep()).Leases);
        Complete(live, held);
    }

    [Fact]
    public async Task NoSilo_GoesOnByWhatWasLastKnown_ThenRefuses()
    {
        await StartAsync(silos: 1);
        var gateway = Cluster.AddGateway(o => o with { FailStaticAfter = TimeSpan.FromMilliseconds(500), FailStaticFor = TimeSpan.FromSeconds(5) });
        await HealthyAsync(gateway);
        var held = await RouteAsync(gateway);

        await Cluster.Cluster.KillSiloAsync(Cluster.Cluster.Silos[0]);

        var decisions = new List<RouteDecision>();
        for (var i = 0; i < 8; i++) decisions.Add(await RouteAsync(gateway));
        Assert.True(gateway.IsOnItsOwn);
        Assert.All(decisions, d => Assert.Equal(RouteKind.Send, d.Kind));
        Assert.True(decisions.Select(d => d.Endpoint).Distinct().Count() == 4, "spread over what is known");
        foreach (var decision in decisions.Append(held)) Complete(gateway, decision);
        await Eventually.HoldsAsync(async () => (await RouteAsync(gateway)).Reason == DecisionReason.EngineUnreachable, "refused with a reason");
    }

    [Fact]
    public async Task NoSiloForAWhile_WhatWasPlacedMeanwhileIsCountedAfterwards()
    {
        await StartAsync(silos: 1);
        var gateway = Cluster.AddGateway(o => o with { FailStaticAfter = TimeSpan.FromMilliseconds(500) });
        await HealthyAsync(gateway);
        await Cluster.Cluster.KillSiloAsync(Cluster.Cluster.Silos[0]);
        var meanwhile = await RouteAsync(gateway);
        Assert.Equal(RouteKind.Send, meanwhile.Kind);

        await Cluster.Cluster.StartAdditionalSiloAsync();

        await Eventually.HoldsAsync(async () => (await Cluster.Pool(Pool).Keep()).Leases == 1, "the new silo counts it");
        // It counts what it was told before the gateway has its answer.
        await Eventually.HoldsAsync(() => !gateway.IsOnItsOwn, "the gateway asks the silo again");
        Complete(gateway, meanwhile);
        await Eventually.HoldsAsync(async () => (await Cluster.Pool(Pool).Keep()).Leases == 0, "nothing is left");
    }

    [Fact]
    public async Task Gateways_FourInsteadOfOne_ScrapeNoMore()
    {
        var scrapes = 0L;
        // Resting endpoints are scraped as often as others, so that the rate is even.
        var interval = TimeSpan.FromMilliseconds(200);
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, l) =>
        {
            // Other tests run silos in this process at the same time; none of theirs has this interval.
            if (instrument.Meter.Scope is not SiloMesh silo || silo.Options.Engine.IdleScrapeInterval != interval) return;
            if (instrument.Meter.Name == EngineInstruments.MeterName && instrument.Name == EngineInstruments.Scrapes.MeterName) l.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((_, value, _, _) => Interlocked.Add(ref scrapes, value));
        listener.Start();
        await StartAsync(engine: new EngineOptions { ScrapeInterval = interval, IdleScrapeInterval = interval });
        await HealthyAsync(Cluster.AddGateway());

        var one = await CountAsync();
        for (var i = 0; i < 3; i++) Cluster.AddGateway();
        var four = await CountAsync();

        // A machine that is busy with other things scrapes less often than it should, and not evenly; more often it can only by a mistake.
        var configured = _endpoints.Ids.Count() / interval.TotalSeconds;
        Assert.InRange(one, 0.1, configured * 1.3);
        Assert.InRange(four, 0.1, configured * 1.3);

        async Task<double> CountAsync()
        {
            var from = Interlocked.Read(ref scrapes);
            var began = TimeProvider.System.GetTimestamp();
            await Task.Delay(3000);
            return (Interlocked.Read(ref scrapes) - from) / TimeProvider.System.GetElapsedTime(began).TotalSeconds;
        }
    }

    private static void Complete(GrainEngine gateway, RouteDecision decision) =>
        gateway.Router.Complete(Pool, decision.Lease, new RequestOutcome(OutcomeKind.Success));

    // When each endpoint is predicted to have computed all prompts, by this test's clock.
    private async Task<SortedDictionary<string, double>> BusyUntilAsync()
    {
        var snapshot = SnapshotJson.ReadPool(await Cluster.Pool(Pool).Snapshot());
        var nowMs = TimeProvider.System.GetElapsedTime(0).TotalMilliseconds;
        return new(snapshot.Backends[0].Endpoints.ToDictionary(e => e.Id.Address, e => nowMs + e.PredictedWaitMs));
    }

    private static Task<RouteDecision> RouteAsync(GrainEngine gateway, int promptTokens = 10) => gateway.Router.RouteAsync(
        new RouteRequest { RequestId = "r", Pool = Pool, Session = gateway.Session, FairnessId = "", IsStreaming = true, PromptTokens = promptTokens, MaxOutputTokens = 10 }, default)
        .AsTask().WaitAsync(Deadline);

    private static Task HealthyAsync(GrainEngine gateway) =>
        Eventually.HoldsAsync(() => gateway.Snapshot()[0].Backends[0].HealthyEndpoints == 4, "the gateway knows that all are healthy");

    private async Task StartAsync(short silos = 3, EngineOptions? engine = null) =>
        _cluster = await MeshCluster.StartAsync(_endpoints.Config(), silos, engine: engine);
}
