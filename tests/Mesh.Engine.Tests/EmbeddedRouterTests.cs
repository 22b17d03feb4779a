using System.Collections.Frozen;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.FlowControl;
using Mesh.Core.Leases;
using Mesh.Core.Randomness;
using Mesh.Core.Routing;
using Mesh.Engine.Monitoring;
using Mesh.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.Engine.Tests;

/// <summary>Requests that wait in the router: every call ends, once, and leaves nothing behind. Many threads would disturb those who measure time.</summary>
[Collection(nameof(AloneCollection))]
public sealed class EmbeddedRouterTests
{
    private static readonly PoolId Id = new("default", "pool");
    private static readonly GatewaySession Session = new("gateway", 1);
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task RouteAsync_PoolFull_WaitsUntilAPlaceIsFree()
    {
        var (router, _) = Start(Config(1));
        var running = await RouteAsync(router);
        var waiting = RouteAsync(router).AsTask();
        Assert.False(waiting.IsCompleted);

        router.Complete(Id, running.Lease, new RequestOutcome(OutcomeKind.Success));

        Assert.Equal(RouteKind.Send, (await waiting.WaitAsync(Deadline)).Kind);
    }

    [Fact]
    public async Task RouteAsync_CancelledWhileItWaits_FreesItsPlaceInTheQueue()
    {
        var (router, host) = Start(Config(1, new FlowControlSettings { WhenFull = WhenFull.Queue, MaxWaitingRequests = 1 }));
        var running = await RouteAsync(router);
        using var leaves = new CancellationTokenSource();
        var waiting = RouteAsync(router, cancellationToken: leaves.Token).AsTask();
        Assert.Equal(DecisionReason.QueueFull, (await RouteAsync(router)).Reason);

        await leaves.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Assert.Empty(host.Snapshot().Queue);
        var second = RouteAsync(router).AsTask();
        router.Complete(Id, running.Lease, new RequestOutcome(OutcomeKind.Success));
        Assert.Equal(RouteKind.Send, (await second.WaitAsync(Deadline)).Kind);
        Assert.Equal(1, host.Snapshot().Leases);
    }

    [Fact]
    public async Task RouteAsync_CancelledAfterItsDecision_GetsTheDecision()
    {
        var (router, host) = Start(Config(1));
        var running = await RouteAsync(router);
        using var leaves = new CancellationTokenSource();
        var waiting = RouteAsync(router, cancellationToken: leaves.Token).AsTask();
        router.Complete(Id, running.Lease, new RequestOutcome(OutcomeKind.Success));

        await leaves.CancelAsync();

        var decision = await waiting.WaitAsync(Deadline);
        router.Complete(Id, decision.Lease, new RequestOutcome(OutcomeKind.NotSent));
        Assert.Equal(0, host.Snapshot().Leases);
    }

    [Fact]
    public async Task Close_RefusesThoseWhoWaitAndThoseWhoComeTooLate()
    {
        var (router, host) = Start(Config(1));
        await RouteAsync(router);
        var waiting = Enumerable.Range(0, 3).Select(_ => RouteAsync(router).AsTask()).ToArray();

        host.Close();

        foreach (var decision in await Task.WhenAll(waiting).WaitAsync(Deadline)) Assert.Equal(RouteDecision.Refuse(DecisionReason.UnknownPool), decision);
        Assert.Equal(RouteDecision.Refuse(DecisionReason.UnknownPool), await RouteAsync(router).AsTask().WaitAsync(Deadline));
        Assert.Empty(host.Snapshot().Queue);
    }

    [Fact]
    public async Task Reconfigure_PoolRemoved_ItsWaitingRequestsAreRefused()
    {
        await using var server = await ScriptedServer.StartAsync(_ => Task.CompletedTask);
        await using var engine = new EmbeddedEngine(new EngineOptions(), TimeProvider.System, NullLoggerFactory.Instance, seed: 1);
        engine.Reconfigure(new MeshConfig { Version = 1, Pools = [Config(1, endpoint: server.Id)] });
        await Eventually.HoldsAsync(() => engine.Snapshot()[0].Backends[0].HealthyEndpoints == 1, "healthy");
        Assert.Equal(RouteKind.Send, (await engine.Router.RouteAsync(Request(engine.Session), default)).Kind);
        var waiting = engine.Router.RouteAsync(Request(engine.Session), default).AsTask();
        Assert.False(waiting.IsCompleted);

        engine.Reconfigure(MeshConfig.Empty);

        Assert.Equal(DecisionReason.UnknownPool, (await waiting.WaitAsync(Deadline)).Reason);
    }

    [Fact]
    public async Task RouteAsync_WaitShorterThanAHeartbeat_EndsOnTime()
    {
        await using var server = await ScriptedServer.StartAsync(_ => Task.CompletedTask);
        await using var engine = new EmbeddedEngine(
            new EngineOptions { HeartbeatInterval = TimeSpan.FromSeconds(10), Pool = new PoolStateOptions { SessionTimeout = TimeSpan.FromSeconds(30) } },
            TimeProvider.System, NullLoggerFactory.Instance, seed: 1);
        engine.Reconfigure(new MeshConfig
        {
            Version = 1,
            Pools = [Config(1, new FlowControlSettings { WhenFull = WhenFull.Queue, MaxWait = TimeSpan.FromMilliseconds(200) }, server.Id)],
        });
        await Eventually.HoldsAsync(() => engine.Snapshot()[0].Backends[0].HealthyEndpoints == 1, "healthy");
        await engine.Router.RouteAsync(Request(engine.Session), default);

        var started = TimeProvider.System.GetTimestamp();
        var decision = await engine.Router.RouteAsync(Request(engine.Session), default).AsTask().WaitAsync(Deadline);

        Assert.Equal(DecisionReason.QueueTimeout, decision.Reason);
        Assert.InRange(TimeProvider.System.GetElapsedTime(started).TotalSeconds, 0.19, 5);
    }

    [Fact]
    public async Task RouteAsync_WaitEndsBeforeTheNextTick_AsksForOneOnce()
    {
        var wakes = 0;
        var time = new ManualTimeProvider();
        var (router, host) = Start(Config(1), () => wakes++, time);
        var running = await RouteAsync(router);
        Assert.Equal(0, wakes);
        _ = RouteAsync(router).AsTask();
        _ = RouteAsync(router).AsTask();
        Assert.Equal(1, wakes);

        // From here on the ticks know of those who wait, and of those whose waits end later.
        for (var i = 0; i < 5; i++)
        {
            host.Keep(Session);
            time.Advance(TimeSpan.FromMilliseconds(100));
            _ = RouteAsync(router).AsTask();
        }
        router.Complete(Id, running.Lease, new RequestOutcome(OutcomeKind.Success));
        Assert.Equal(1, wakes);
    }

    [Fact]
    public async Task ReportFirstByte_EndpointReadySooner_AsksForATick()
    {
        var wakes = 0;
        var time = new ManualTimeProvider();
        var config = Config(1) with { Backends = [Config(1).Backends[0] with { Settings = new BackendSettings() }] };
        var (router, host) = Start(config, () => wakes++, time);
        var small = await router.RouteAsync(Request(Session) with { PromptTokens = 400, IsStreaming = true }, default);
        Assert.Equal(RouteKind.Send, (await router.RouteAsync(Request(Session) with { PromptTokens = 8000, IsStreaming = true }, default)).Kind);
        var waiting = router.RouteAsync(Request(Session) with { IsStreaming = true }, default).AsTask();
        var before = host.Keep(Session)!.Value;
        Assert.Equal(1, wakes);
        time.Advance(TimeSpan.FromMilliseconds(1));

        // The first prompt is done before it was predicted to be: so will be the second.
        router.ReportFirstByte(Id, small.Lease);

        Assert.Equal(2, wakes);
        var after = host.Keep(Session)!.Value;
        Assert.InRange(after, TimeSpan.FromMilliseconds(1), before - TimeSpan.FromMilliseconds(2));
        time.Advance(after);
        host.Keep(Session);
        Assert.Equal(RouteKind.Send, (await waiting.WaitAsync(Deadline)).Kind);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task ManyThreads_RouteCompleteAndCancel_EveryCallEndsAndNothingStays(ulong seed)
    {
        const int Workers = 16;
        const int Calls = 1500;
        var flow = new FlowControlSettings { WhenFull = WhenFull.Queue, MaxWaitingRequests = 12, MaxWait = TimeSpan.FromMilliseconds(50) };
        var (router, host) = Start(Config(2, flow), time: TimeProvider.System);
        var counts = new int[4];
        using var stop = new CancellationTokenSource();
        var keeping = Task.Run(async () =>
        {
            for (var i = 0; !stop.IsCancellationRequested; i++)
            {
                host.Keep(Session);
                if (i % 10 == 0) host.Reconfigure(Config(1 + i / 10 % 3, flow), FrozenDictionary<EndpointId, EndpointMonitor>.Empty);
                await Task.Delay(1);
            }
        });

        var workers = Enumerable.Range(0, Workers).Select(worker => Task.Run(async () =>
        {
            var random = new Xoshiro256(seed * 100 + (ulong)worker);
            for (var i = 0; i < Calls; i++)
            {
                using var leaves = new CancellationTokenSource();
                var request = Request(Session) with { Priority = random.NextInt32(4) - 1, FairnessId = $"f{random.NextInt32(3)}", BodyBytes = 10 };
                var call = router.RouteAsync(request, leaves.Token);
                if (random.NextInt32(3) == 0) await leaves.CancelAsync();
                try
                {
                    var decision = await call;
                    Interlocked.Increment(ref counts[decision.Kind == RouteKind.Send ? 0 : decision.Reason == DecisionReason.QueueTimeout ? 3 : 1]);
                    if (decision.Kind != RouteKind.Send) continue;
                    if (random.NextInt32(2) == 0) await Task.Yield();
                    router.ReportFirstByte(Id, decision.Lease);
                    router.Complete(Id, decision.Lease, new RequestOutcome(OutcomeKind.Success));
                }
                catch (OperationCanceledException)
                {
                    Interlocked.Increment(ref counts[2]);
                }
            }
        })).ToArray();

        await Task.WhenAll(workers).WaitAsync(Deadline);
        await stop.CancelAsync();
        await keeping.WaitAsync(Deadline);

        Assert.True(counts.Sum() == Workers * Calls, $"seed {seed}: {counts.Sum()} calls ended");
        Assert.True(counts[0] > 100 && counts[1] > 0 && counts[2] > 0, $"seed {seed}: {string.Join('/', counts)} sent, refused, cancelled, timed out");
        var snapshot = host.Snapshot();
        Assert.True(snapshot.Leases == 0 && snapshot.Queue.IsEmpty, $"seed {seed}: {snapshot.Leases} leases, {snapshot.Queue.Length} bands");
        Assert.Equal(0, snapshot.Backends.Sum(b => b.InFlightRequests));
    }

    private static (EmbeddedRouter Router, PoolHost Host) Start(PoolConfig config, Action? wake = null, TimeProvider? time = null)
    {
        var host = new PoolHost(new PoolState(config, time ?? new ManualTimeProvider(), seed: 1), wake ?? (static () => { }));
        foreach (var endpoint in config.Backends[0].Endpoints)
        {
            for (var i = 0; i < 2; i++) host.Probed(new Core.Health.ProbeResult(endpoint.Id, i, true));
        }
        return (new EmbeddedRouter { Pools = new Dictionary<PoolId, PoolHost> { [Id] = host }.ToFrozenDictionary() }, host);
    }

    private static PoolConfig Config(int inFlight, FlowControlSettings? flow = null, EndpointId? endpoint = null) => new()
    {
        Id = Id,
        FlowControl = flow ?? new FlowControlSettings { WhenFull = WhenFull.Queue },
        Backends =
        [
            new BackendConfig
            {
                Id = new BackendId("gke-west", "a", 8000),
                Region = "west",
                Settings = new BackendSettings { Mode = BalancingMode.InFlight, MaxInFlightPerEndpoint = inFlight },
                Endpoints = [new EndpointConfig { Id = endpoint ?? new EndpointId("10.0.0.1:8000"), PodName = "pod" }],
            },
        ],
    };

    private static RouteRequest Request(GatewaySession session) => new()
    {
        RequestId = "r",
        Pool = Id,
        Session = session,
        FairnessId = "",
        PromptTokens = 10,
        MaxOutputTokens = 10,
    };

    private static ValueTask<RouteDecision> RouteAsync(EmbeddedRouter router, CancellationToken cancellationToken = default) =>
        router.RouteAsync(Request(Session), cancellationToken);
}
