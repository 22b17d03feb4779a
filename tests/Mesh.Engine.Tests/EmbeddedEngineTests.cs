using System.Collections.Concurrent;
using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Leases;
using Mesh.Core.Routing;
using Mesh.Core.Snapshots;
using Mesh.Testing;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.Engine.Tests;

/// <summary>The engine against real servers on loopback ports; every wait has a deadline.</summary>
public sealed class EmbeddedEngineTests
{
    private static readonly PoolId Pool = new("default", "vllm");
    private static readonly HealthCheckConfig QuickCheck = new() { Interval = TimeSpan.FromSeconds(1), Timeout = TimeSpan.FromSeconds(1) };
    private static readonly EngineOptions Options = new() { QuickProbeInterval = TimeSpan.FromMilliseconds(100) };

    [Fact]
    public async Task Reconfigure_NewEndpoints_AreReadyWithinASecondWithSamplesAndModels()
    {
        await using var first = await StartVllmAsync();
        await using var second = await StartVllmAsync();
        await using var engine = Start();

        // The default check has an interval of 5 s: quick probes come first.
        engine.Reconfigure(Config(new HealthCheckConfig(), first, second));
        var elapsed = await Eventually.HoldsAsync(() => Endpoints(engine).All(e => e.Health == EndpointHealth.Healthy), "all healthy");
        await Eventually.HoldsAsync(() => Endpoints(engine).All(e => !e.Models.IsDefault && e.LastSample is not null), "all known");

        Assert.True(elapsed < TimeSpan.FromSeconds(3), $"ready after {elapsed}");
        Assert.All(Endpoints(engine), e => Assert.Equal(("llama", 0.25), (Assert.Single(e.Models), e.LastSample!.KvUtilizationRatio)));
        Assert.Equal(DecisionReason.UnknownModel, (await RouteAsync(engine, model: "mistral")).Reason);
        Assert.Equal(RouteKind.Send, (await RouteAsync(engine, model: "llama")).Kind);
    }

    [Fact]
    public async Task Route_UnknownPoolOrCancelled_IsRefusedOrThrows()
    {
        await using var engine = Start();

        Assert.Equal(RouteDecision.Refuse(DecisionReason.UnknownPool), await RouteAsync(engine));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await engine.Router.RouteAsync(Request(engine.Session), new CancellationToken(canceled: true)));
    }

    [Fact]
    public async Task Endpoint_KilledUnderLoad_LeavesWithinTwoIntervalsAndComesBack()
    {
        await using var first = await StartVllmAsync();
        await using var second = await StartVllmAsync();
        await using var engine = Start();
        engine.Reconfigure(Config(QuickCheck, first, second));
        await Eventually.HoldsAsync(() => Endpoints(engine).All(e => e.Health == EndpointHealth.Healthy), "all healthy");

        await first.KillAsync();
        var outAfter = await Eventually.HoldsAsync(() => Health(engine, first) == EndpointHealth.Unhealthy, "the dead endpoint is out");
        // Two intervals of 1 s, and half a second for a busy machine.
        Assert.True(outAfter < TimeSpan.FromSeconds(2.5), $"out after {outAfter}");
        for (var i = 0; i < 10; i++) Assert.Equal(second.Id, (await RouteAsync(engine)).Endpoint);

        await first.StartAsync();
        await Eventually.HoldsAsync(() => Health(engine, first) == EndpointHealth.Healthy, "the endpoint is back");
        Assert.Equal(first.Id, (await RouteAsync(engine)).Endpoint);
    }

    [Fact]
    public async Task Endpoint_RequestsFailToConnect_LeavesLongBeforeItsInterval()
    {
        await using var server = await StartVllmAsync();
        await using var engine = Start();
        engine.Reconfigure(Config(new HealthCheckConfig { Interval = TimeSpan.FromMinutes(5) }, server));
        await Eventually.HoldsAsync(() => Health(engine, server) == EndpointHealth.Healthy, "healthy");
        var decision = await RouteAsync(engine);
        await server.KillAsync();

        engine.Router.Complete(Pool, decision.Lease, new RequestOutcome(OutcomeKind.ConnectFailure));

        var outAfter = await Eventually.HoldsAsync(() => Health(engine, server) == EndpointHealth.Unhealthy, "the dead endpoint is out");
        Assert.True(outAfter < TimeSpan.FromSeconds(3), $"out after {outAfter}");
    }

    [Fact]
    public async Task Endpoint_RequestsFailButProbesSucceed_StaysAndIsNotProbedWithoutBound()
    {
        var probes = 0;
        await using var server = await ScriptedServer.StartAsync(context =>
        {
            if (context.Request.Path == "/health") Interlocked.Increment(ref probes);
            return Task.CompletedTask;
        });
        await using var engine = Start();
        engine.Reconfigure(Config(new HealthCheckConfig { Interval = TimeSpan.FromMinutes(5) }, server));
        await Eventually.HoldsAsync(() => Health(engine, server) == EndpointHealth.Healthy, "healthy");
        var before = probes;
        var started = TimeProvider.System.GetTimestamp();

        while (TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromSeconds(1))
        {
            var decision = await RouteAsync(engine);
            engine.Router.Complete(Pool, decision.Lease, new RequestOutcome(OutcomeKind.ConnectFailure));
            await Task.Yield();
        }

        // One per 100 ms at most.
        Assert.InRange(probes - before, 1, 12);
        Assert.Equal(EndpointHealth.Healthy, Health(engine, server));
    }

    [Fact]
    public async Task Reconfigure_EndpointRemovedAndAdded_IsNotAskedAnyMoreAndItsLeaseStays()
    {
        var asked = new ConcurrentBag<string>();
        await using var removed = await StartVllmAsync(onRequest: context => asked.Add(context.Request.Path));
        await using var kept = await StartVllmAsync();
        await using var added = await StartVllmAsync();
        await using var engine = Start();
        engine.Reconfigure(Config(QuickCheck, removed, kept));
        await Eventually.HoldsAsync(() => Endpoints(engine).All(e => e.Health == EndpointHealth.Healthy), "all healthy");
        RouteDecision onRemoved;
        do onRemoved = await RouteAsync(engine);
        while (onRemoved.Endpoint != removed.Id);

        engine.Reconfigure(Config(QuickCheck, kept, added));
        await Eventually.HoldsAsync(() => Health(engine, added) == EndpointHealth.Healthy, "the new one is healthy");
        asked.Clear();
        for (var i = 0; i < 10; i++) Assert.NotEqual(removed.Id, (await RouteAsync(engine)).Endpoint);
        Assert.True(Endpoints(engine).Single(e => e.Id == removed.Id).Draining);
        engine.Router.ReportFirstByte(Pool, onRemoved.Lease);
        engine.Router.Complete(Pool, onRemoved.Lease, new RequestOutcome(OutcomeKind.Success));

        Assert.DoesNotContain(Endpoints(engine), e => e.Id == removed.Id);
        var sample = Endpoints(engine).Single(e => e.Id == kept.Id).LastSample!.Timestamp;
        await Eventually.HoldsAsync(() => Endpoints(engine).Single(e => e.Id == kept.Id).LastSample!.Timestamp > sample, "the kept one is scraped on");
        Assert.Empty(asked);
        Assert.Equal(EndpointHealth.Healthy, Health(engine, kept));
    }

    [Fact]
    public async Task Reconfigure_PoolRemoved_IsUnknownAndLateCompletionsHaveNoEffect()
    {
        await using var server = await StartVllmAsync();
        await using var engine = Start();
        engine.Reconfigure(Config(QuickCheck, server));
        await Eventually.HoldsAsync(() => Health(engine, server) == EndpointHealth.Healthy, "healthy");
        var decision = await RouteAsync(engine);

        engine.Reconfigure(MeshConfig.Empty);
        engine.Router.Complete(Pool, decision.Lease, new RequestOutcome(OutcomeKind.Success));
        Assert.Equal(DecisionReason.UnknownPool, (await RouteAsync(engine)).Reason);
        Assert.Empty(engine.Snapshot());

        engine.Reconfigure(Config(QuickCheck, server));
        engine.Router.Complete(Pool, decision.Lease, new RequestOutcome(OutcomeKind.Success));
        Assert.Equal(0, Endpoints(engine).Single().InFlightRequests);
    }

    [Fact]
    public async Task Metrics_PageStops_SampleAgesAndIsReadAgainLater()
    {
        var broken = false;
        await using var server = await StartVllmAsync(metrics: () => broken ? null : "vllm:gpu_cache_usage_perc 0.75\n");
        await using var engine = Start();
        engine.Reconfigure(Config(QuickCheck, server));
        await Eventually.HoldsAsync(() => Endpoints(engine).Single().LastSample?.KvUtilizationRatio == 0.75, "sampled");

        broken = true;
        await Eventually.HoldsAsync(() => Endpoints(engine).Single().SampleAge > TimeSpan.FromSeconds(1), "stale");
        broken = false;
        await Eventually.HoldsAsync(() => Endpoints(engine).Single().SampleAge < TimeSpan.FromMilliseconds(300), "fresh again");
    }

    [Fact]
    public async Task Metrics_ManyEndpoints_AreSpreadOverTheInterval()
    {
        var times = new ConcurrentDictionary<int, ConcurrentBag<long>>();
        var overlapping = 0;
        var running = new ConcurrentDictionary<int, int>();
        var servers = new List<ScriptedServer>();
        for (var i = 0; i < 8; i++)
        {
            servers.Add(await StartVllmAsync(onRequest: context =>
            {
                if (context.Request.Path != "/metrics") return;
                var port = context.Connection.LocalPort;
                if (running.AddOrUpdate(port, 1, (_, n) => n + 1) > 1) Interlocked.Increment(ref overlapping);
                times.GetOrAdd(port, _ => []).Add(TimeProvider.System.GetTimestamp());
                context.Response.OnCompleted(() =>
                {
                    running.AddOrUpdate(port, 0, (_, n) => n - 1);
                    return Task.CompletedTask;
                });
            }));
        }

        await using var engine = Start(Options with { ScrapeInterval = TimeSpan.FromMilliseconds(400) });
        engine.Reconfigure(Config(new HealthCheckConfig { Interval = TimeSpan.FromMinutes(5) }, [.. servers]));
        await Eventually.HoldsAsync(() => times.Count == 8 && times.Values.All(t => t.Count >= 8), "eight scrapes each");
        await engine.DisposeAsync();

        // Where in the interval each is scraped, as fractions: the median defies a busy machine. Eight phases 1/8 apart on average.
        var frequency = TimeProvider.System.TimestampFrequency;
        var origin = times.Values.SelectMany(t => t).Min();
        double[] phases = [.. times.Values.Select(t => t.Select(x => (x - origin) / (double)frequency % 0.4 / 0.4).Order().ElementAt(t.Count / 2)).Order()];
        Assert.True(phases[^1] - phases[0] > 0.5, $"phases {string.Join(", ", phases.Select(p => p.ToString("0.00")))}");
        Assert.Equal(0, overlapping);
        foreach (var server in servers) await server.DisposeAsync();
    }

    [Fact]
    public async Task Session_HeartbeatStops_ItsLeasesReturnAndTheLocalOnesStay()
    {
        var time = new ManualTimeProvider();
        await using var server = await StartVllmAsync();
        await using var engine = new EmbeddedEngine(Options, time, NullLoggerFactory.Instance, seed: 1);
        engine.Reconfigure(Config(new HealthCheckConfig { Interval = TimeSpan.FromMinutes(5), HealthyThreshold = 1 }, server));
        await Eventually.HoldsAsync(() => Health(engine, server) == EndpointHealth.Healthy, "healthy");
        var local = await RouteAsync(engine);
        var foreign = await engine.Router.RouteAsync(Request(new GatewaySession("other", 7)), default);
        Assert.Equal((RouteKind.Send, RouteKind.Send), (local.Kind, foreign.Kind));

        // The loop that keeps the session arms its next pause on another thread: small steps let it keep up.
        for (var i = 0; i < 600 && Endpoints(engine).Single().InFlightRequests > 1; i++)
        {
            time.Advance(TimeSpan.FromMilliseconds(50));
            await Task.Delay(5);
        }

        Assert.Equal(1, Endpoints(engine).Single().InFlightRequests);
        Assert.True(time.GetElapsedTime(0) >= TimeSpan.FromSeconds(5));
        engine.Router.Complete(Pool, local.Lease, new RequestOutcome(OutcomeKind.Success));
        Assert.Equal(0, Endpoints(engine).Single().InFlightRequests);
    }

    [Fact]
    public async Task Router_ManyThreads_CountsReturnToZero()
    {
        await using var first = await StartVllmAsync();
        await using var second = await StartVllmAsync();
        await using var engine = Start();
        engine.Reconfigure(Config(QuickCheck, first, second));
        await Eventually.HoldsAsync(() => Endpoints(engine).All(e => e.Health == EndpointHealth.Healthy), "all healthy");

        await Parallel.ForAsync(0, 8, async (worker, _) =>
        {
            for (var i = 0; i < 2000; i++)
            {
                var decision = await RouteAsync(engine);
                Assert.Equal(RouteKind.Send, decision.Kind);
                engine.Router.ReportFirstByte(Pool, decision.Lease);
                engine.Router.Complete(Pool, decision.Lease, new RequestOutcome(OutcomeKind.Success));
                if (worker == 0 && i % 100 == 0) engine.Reconfigure(Config(QuickCheck, first, second));
            }
        });

        Assert.Equal(16_000, Endpoints(engine).Sum(e => e.TotalRequests));
        Assert.All(Endpoints(engine), e => Assert.Equal((0, 0L, 0L), (e.InFlightRequests, e.InFlightTokens, e.InFlightPrefillTokens)));
    }

    [Fact]
    public async Task Dispose_Twice_StopsOnceAndRefusesConfigurations()
    {
        var engine = Start();
        await engine.DisposeAsync();
        await engine.DisposeAsync();

        Assert.Throws<ObjectDisposedException>(() => engine.Reconfigure(MeshConfig.Empty));
    }

    [Fact]
    public void Constructor_OptionOutOfRange_Throws()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Start(new EngineOptions { ScrapeInterval = TimeSpan.Zero }));
        Assert.Throws<ArgumentOutOfRangeException>(() => Start(new EngineOptions { HeartbeatInterval = TimeSpan.FromSeconds(4) }));
        Assert.Throws<ArgumentException>(() => Start(new EngineOptions { GatewayId = " " }));
    }

    private static EmbeddedEngine Start(EngineOptions? options = null) => new(options ?? Options, TimeProvider.System, NullLoggerFactory.Instance, seed: 1);

    private static Task<ScriptedServer> StartVllmAsync(Func<string?>? metrics = null, Action<HttpContext>? onRequest = null) => ScriptedServer.StartAsync(context =>
    {
        onRequest?.Invoke(context);
        switch (context.Request.Path)
        {
            case "/health": return Task.CompletedTask;
            case "/v1/models": return context.Response.WriteAsync("""{"object":"list","data":[{"id":"llama"}]}""");
            case "/metrics" when (metrics is null ? "vllm:kv_cache_usage_perc 0.25\n" : metrics()) is { } page: return context.Response.WriteAsync(page);
            default:
                context.Response.StatusCode = 500;
                return Task.CompletedTask;
        }
    });

    private static MeshConfig Config(HealthCheckConfig check, params ScriptedServer[] servers) => new()
    {
        Version = 1,
        Pools =
        [
            new PoolConfig
            {
                Id = Pool,
                HealthCheck = check,
                Backends =
                [
                    new BackendConfig
                    {
                        Id = new BackendId("gke-west", "europe-west3-c", 8000),
                        Region = "europe-west3",
                        Endpoints = [.. servers.Select(s => new EndpointConfig { Id = s.Id, PodName = $"pod-{s.Port}" })],
                    },
                ],
            },
        ],
    };

    private static RouteRequest Request(GatewaySession session, string? model = null) =>
        new() { RequestId = "r", Pool = Pool, Session = session, FairnessId = "", Model = model, PromptTokens = 10, MaxOutputTokens = 10 };

    private static ValueTask<RouteDecision> RouteAsync(EmbeddedEngine engine, string? model = null) =>
        engine.Router.RouteAsync(Request(engine.Session, model), default);

    private static ImmutableArray<EndpointSnapshot> Endpoints(EmbeddedEngine engine) =>
        [.. engine.Snapshot().SelectMany(p => p.Backends).SelectMany(b => b.Endpoints)];

    private static EndpointHealth Health(EmbeddedEngine engine, ScriptedServer server) => Endpoints(engine).Single(e => e.Id == server.Id).Health;
}
