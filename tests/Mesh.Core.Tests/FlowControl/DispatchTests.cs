using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.FlowControl;
using Mesh.Core.Leases;
using Mesh.Core.Routing;

namespace Mesh.Core.Tests.FlowControl;

/// <summary>When and in which order requests that wait are placed.</summary>
public sealed class DispatchTests
{
    [Fact]
    public void Complete_WithSomebodyWaiting_PlacesItAtOnce()
    {
        var flow = new FlowFixture(1, FlowFixture.Queue);
        var running = flow.Route();
        var ticket = flow.Wait();

        flow.Complete(running);

        var (decided, decision) = flow.DecidedOne();
        Assert.Equal((ticket, RouteKind.Send, PoolFixture.Id(0)), (decided, decision.Kind, decision.Endpoint));
        Assert.Equal((0, 1), (flow.Waiting, flow.Pool.Endpoint(0).InFlightRequests));
        flow.Complete(decision);
    }

    [Fact]
    public void Complete_ManyWait_StrictBandsAndFlowsInTurn()
    {
        var flow = new FlowFixture(1, FlowFixture.Queue);
        var running = flow.Route();
        var names = new Dictionary<long, string>();
        foreach (var (priority, name) in new[] { (0, "a"), (0, "a"), (0, "a"), (0, "b"), (5, "x"), (0, "c"), (0, "b"), (5, "y"), (5, "x") })
            names.Add(flow.Wait(priority, name), $"{priority}{name}");

        var order = new List<string>();
        while (names.Count > 0)
        {
            flow.Complete(running);
            (var ticket, running) = flow.DecidedOne();
            order.Add(names[ticket]);
            names.Remove(ticket);
        }

        Assert.Equal("5x 5y 5x 0a 0b 0c 0a 0b 0a", string.Join(' ', order));
    }

    [Fact]
    public void Route_HigherPriorityWaits_LowerDoesNotTakeThePlaceThatCameUp()
    {
        // Tokens come with time alone: no call has told the pool yet.
        var rate = new BackendSettings { Mode = BalancingMode.Rate, MaxRatePerEndpoint = 10 };
        var flow = new FlowFixture(0, FlowFixture.Queue, rate);
        while (flow.Route().Kind == RouteKind.Send)
        {
        }
        var high = flow.Wait(priority: 3);
        flow.Pool.Time.Advance(TimeSpan.FromMilliseconds(100));

        var low = flow.Route(priority: 2);

        Assert.Equal(RouteKind.Wait, low.Kind);
        Assert.Equal(high, flow.Decided()[^1].Ticket);
    }

    [Fact]
    public void Tick_RateTokens_PlacesThoseWhoWaitAtTheTargetRate()
    {
        var rate = new BackendSettings { Mode = BalancingMode.Rate, MaxRatePerEndpoint = 20 };
        var flow = new FlowFixture(0, FlowFixture.Queue, rate);
        for (var i = 0; i < 60; i++) flow.Route();
        var first = flow.Decided().Length;
        Assert.True(flow.State.WaitsForTime);

        var end = flow.Pool.Time.GetTimestamp() + TimeSpan.FromSeconds(2).Ticks;
        while (flow.Pool.Time.GetTimestamp() < end)
        {
            var next = flow.State.Tick()!.Value;
            Assert.InRange(next.TotalMilliseconds, 0.0001, 10);
            flow.Pool.Time.Advance(next);
        }
        flow.State.Tick();

        Assert.Equal(0, first);
        Assert.InRange(flow.Decided().Length, 39, 41);
    }

    [Fact]
    public void InFlightTarget_WaitsForNoTick()
    {
        var flow = new FlowFixture(1, FlowFixture.Queue);
        flow.Route();
        flow.Wait();

        Assert.False(flow.State.WaitsForTime);
        // The session's time-out, not a polling interval.
        Assert.Equal(TimeSpan.FromSeconds(5), flow.State.Tick());
    }

    [Fact]
    public void Apply_SampleShowsRoom_PlacesAtOnce()
    {
        var kv = new BackendSettings { Mode = BalancingMode.CustomMetrics, CustomMetrics = [new CustomMetricTarget("kv-cache", 0.5, DryRun: false)] };
        var flow = new FlowFixture(0, FlowFixture.Queue, kv);
        Sample(flow, 0.9);
        flow.Wait();
        flow.Pool.Time.Advance(TimeSpan.FromMilliseconds(200));

        Sample(flow, 0.3);

        Assert.Equal(RouteKind.Send, flow.DecidedOne().Decision.Kind);
    }

    [Fact]
    public void Probe_EndpointComesBack_PlacesAtOnce()
    {
        var flow = new FlowFixture(1, FlowFixture.Queue);
        flow.Route();
        flow.State.Reconfigure(FlowFixture.ConfigOf(1, FlowFixture.Queue, endpoints: 2));
        // By N the backend has room for two, and its healthy endpoint takes both.
        flow.Route();
        flow.Wait();
        flow.Pool.Probe(0, false);
        flow.Pool.Probe(0, false);
        flow.State.Reconfigure(FlowFixture.ConfigOf(2, FlowFixture.Queue, endpoints: 2));
        Assert.Empty(flow.Decided());

        flow.Pool.Probe(1, true);
        flow.Pool.Probe(1, true);

        Assert.Equal(PoolFixture.Id(1), flow.DecidedOne().Decision.Endpoint);
    }

    [Fact]
    public void Reconfigure_HigherTarget_PlacesAtOnce()
    {
        var flow = new FlowFixture(1, FlowFixture.Queue);
        flow.Route();
        flow.Wait();
        flow.Wait();

        flow.State.Reconfigure(FlowFixture.ConfigOf(3, FlowFixture.Queue));

        Assert.Equal(2, flow.Decided().Length);
    }

    [Fact]
    public void ApplyModels_EndpointHasTheModelNow_PlacesAtOnce()
    {
        var flow = AdmissionTests.TwoModels();
        flow.Route(model: "a");
        flow.Wait(model: "a");

        flow.Pool.Models(1, "a", "b");

        Assert.Equal(PoolFixture.Id(1), flow.DecidedOne().Decision.Endpoint);
    }

    [Fact]
    public void Route_BehindOneThatWaitsForAFullBackend_GoesToTheFreeOne()
    {
        var flow = AdmissionTests.TwoModels();
        flow.Route(model: "a");
        for (var i = 0; i < 100; i++) flow.Wait(priority: i % 3, flow: $"f{i}", model: "a");

        Assert.Equal(PoolFixture.Id(1), flow.Route(model: "b").Endpoint);
    }

    [Fact]
    public void Complete_SameFlowWaitsForTwoBackends_TheFreedOneIsUsed()
    {
        var flow = AdmissionTests.TwoModels();
        flow.Route(model: "a");
        var runsB = flow.Route(model: "b");
        for (var i = 0; i < 50; i++) flow.Wait(model: "a");
        var waitsB = flow.Wait(model: "b");

        flow.Complete(runsB);

        Assert.Equal(waitsB, flow.DecidedOne().Ticket);
    }

    [Fact]
    public void Complete_AFlowIsStuck_TheOthersStillTakeTurns()
    {
        var flow = AdmissionTests.TwoModels();
        flow.Route(model: "a");
        var running = flow.Route(model: "b");
        flow.Wait(flow: "stuck", model: "a");
        var names = new Dictionary<long, string>();
        for (var i = 0; i < 5; i++)
        {
            names.Add(flow.Wait(flow: "greedy", model: "b"), "greedy");
            if (i < 2) names.Add(flow.Wait(flow: "modest", model: "b"), "modest");
        }

        var order = new List<string>();
        for (var i = 0; i < 5; i++)
        {
            flow.Complete(running);
            (var ticket, running) = flow.DecidedOne();
            order.Add(names[ticket]);
        }

        Assert.Equal(["greedy", "modest", "greedy", "modest", "greedy"], order);
    }

    [Fact]
    public void Tick_WaitOver_IsRefusedOnTime()
    {
        var flow = new FlowFixture(1, FlowFixture.Queue with { MaxWait = TimeSpan.FromMilliseconds(700) });
        flow.Route();
        var ticket = flow.Wait();

        flow.Pool.Time.Advance(TimeSpan.FromMilliseconds(200));
        Assert.Equal(500, flow.State.Tick()!.Value.TotalMilliseconds);
        flow.Pool.Time.Advance(TimeSpan.FromMilliseconds(500));
        flow.State.Tick();

        var (decided, decision) = flow.DecidedOne();
        Assert.Equal((ticket, RouteKind.Refuse, DecisionReason.QueueTimeout), (decided, decision.Kind, decision.Reason));
        Assert.True(decision.RetryAfter > TimeSpan.Zero);
        Assert.Equal(0, flow.Waiting);
    }

    [Fact]
    public void CancelWait_FreesItsPlaceInTheQueueAtOnce()
    {
        var flow = new FlowFixture(1, FlowFixture.Queue with { MaxWaitingRequests = 1, MaxWaitingBytes = 10 });
        var running = flow.Route();
        var ticket = flow.Wait();
        Assert.Equal(DecisionReason.QueueFull, flow.Route().Reason);

        Assert.True(flow.State.CancelWait(ticket));
        Assert.False(flow.State.CancelWait(ticket));
        var second = flow.Wait();

        flow.Complete(running);
        Assert.Equal(second, flow.DecidedOne().Ticket);
        Assert.False(flow.State.CancelWait(second));
    }

    [Fact]
    public void Tick_SessionSilent_ItsWaitingRequestsVanishAndItsPlacesAreUsed()
    {
        var dead = new GatewaySession("dead", 1);
        var flow = new FlowFixture(1, FlowFixture.Queue);
        flow.Route(session: dead);
        for (var i = 0; i < 3; i++) flow.Wait(session: dead);
        flow.Pool.Time.Advance(TimeSpan.FromSeconds(3));
        var living = flow.Wait();
        flow.Pool.Time.Advance(TimeSpan.FromSeconds(2));

        flow.State.Tick();

        Assert.Equal(living, flow.DecidedOne().Ticket);
        Assert.Equal((0, 1), (flow.Waiting, flow.State.Snapshot().Leases));
    }

    [Fact]
    public void Route_OnlyADrainedBackendIsLeft_NobodyWaits()
    {
        var big = new BackendSettings { Mode = BalancingMode.InFlight, MaxInFlightPerEndpoint = 1 };
        var flow = new FlowFixture(0, FlowFixture.Queue);
        var plain = PoolFixture.Config(6).Backends[0];
        flow.State.Reconfigure(flow.Config with
        {
            TrafficDistribution = new() { AutoCapacityDrain = true },
            Backends =
            [
                plain with { Endpoints = [.. plain.Endpoints.Take(5)], Settings = big },
                plain with { Id = new BackendId("gke-west", "z", 8000), Endpoints = [plain.Endpoints[5]], Settings = big },
            ],
        });
        for (var i = 0; i < 6; i++) flow.State.ApplyHealth(PoolFixture.Id(i), EndpointHealth.Healthy);
        for (var i = 1; i < 5; i++) flow.State.ApplyHealth(PoolFixture.Id(i), EndpointHealth.Unhealthy);
        Assert.True(flow.State.Snapshot().Backends[0].Drained);
        Assert.Equal(PoolFixture.Id(5), flow.Route().Endpoint);
        flow.Wait();

        flow.State.ApplyHealth(PoolFixture.Id(5), EndpointHealth.Unhealthy);

        Assert.Equal(DecisionReason.LastResort, flow.DecidedOne().Decision.Reason);
        Assert.Equal(DecisionReason.LastResort, flow.Route().Reason);
    }

    [Fact]
    public void Complete_ShortestFirst_ALongPromptGetsItsTurn()
    {
        var flow = new FlowFixture(1, FlowFixture.Queue with { Order = QueueOrder.Shortest });
        var running = flow.Route();
        var longest = flow.Wait(prompt: 8000);
        var served = -1;
        for (var i = 0; i < 300 && served < 0; i++)
        {
            flow.Wait(prompt: 100);
            flow.Pool.Time.Advance(TimeSpan.FromMilliseconds(100));
            flow.Complete(running);
            (var ticket, running) = flow.DecidedOne();
            if (ticket == longest) served = i;
        }

        // By the step-time table 226 ms of work against 3, at 20 ms per second: after 11.2 s, 112 short ones.
        Assert.InRange(served, 108, 114);
    }

    [Fact]
    public void RouteWaitComplete_SteadyState_AllocatesNothing()
    {
        var flow = new FlowFixture(4, FlowFixture.Queue);
        var requests = Enumerable.Range(0, 12).Select(i => flow.Request(priority: i % 3, flow: $"f{i % 4}", model: i % 2 == 0 ? null : "m")).ToArray();
        var running = new Queue<LeaseId>();
        for (var i = 0; i < 4; i++) running.Enqueue(flow.Route().Lease);
        for (var i = 0; i < 500; i++) Round(flow, requests, running);

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 500; i++) Round(flow, requests, running);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(4, flow.State.Snapshot().Leases);
    }

    [Fact]
    public void WaitForAnEndpoint_SteadyState_AllocatesNothing()
    {
        var pool = new PoolFixture(2);
        var clock = new BareClock();
        var state = new PoolState(PoolFixture.Config(2) with { Scheduling = new SchedulingConfig() }, clock, seed: 1);
        for (var i = 0; i < 2; i++) state.ApplyHealth(PoolFixture.Id(i), EndpointHealth.Healthy);
        var requests = Enumerable.Range(0, 12)
            .Select(i => pool.Request(prompt: 4000) with { Priority = i % 3, FairnessId = $"f{i % 4}", IsStreaming = true }).ToArray();
        var running = new Queue<LeaseId>();
        var waited = 0;
        for (var i = 0; i < 300; i++) Round();

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 300; i++) Round();

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.True(waited > 500, $"{waited} waited");

        void Round()
        {
            var outcome = new RequestOutcome(OutcomeKind.Success);
            for (var i = 0; i < requests.Length; i++)
            {
                var decision = state.Route(in requests[i]);
                if (decision.Kind == RouteKind.Send) running.Enqueue(decision.Lease);
                else waited++;
            }
            for (var left = requests.Length; left > 0;)
            {
                clock.Ticks += TimeSpan.TicksPerMillisecond * 10;
                while (running.TryDequeue(out var lease))
                {
                    left--;
                    state.ReportFirstByte(lease);
                    state.Complete(lease, in outcome);
                }
                while (state.TryTakeDecided(out _, out var decision)) running.Enqueue(decision.Lease);
            }
        }
    }

    [Fact]
    public void Reconfigure_ScaledToZero_ThoseWhoWaitForItsEndpointsGoElsewhere()
    {
        var (pool, config) = LateBinding();
        var (waiting, running) = FillUntilTwentyWait(pool);

        pool.State.Reconfigure(config with
        {
            Backends = [config.Backends[0] with { Settings = new BackendSettings { CapacityScaler = 0 } }, config.Backends[1]],
        });

        var sent = Drain(pool, running);
        Assert.Equal(waiting, sent.Select(d => d.Ticket).Order());
        Assert.All(sent, d => Assert.Equal((RouteKind.Send, PoolFixture.Id(1)), (d.Decision.Kind, d.Decision.Endpoint)));
    }

    [Fact]
    public void Probe_OnlyADrainedBackendIsLeft_ThoseWhoWaitForItAreStillSent()
    {
        var (pool, config) = LateBinding();
        pool.State.Reconfigure(config with { TrafficDistribution = new() { AutoCapacityDrain = true, Algorithm = ServiceLbAlgorithm.WaterfallByZone } });
        var (_, running) = FillUntilTwentyWait(pool);

        pool.State.ApplyHealth(PoolFixture.Id(1), EndpointHealth.Unhealthy);
        pool.State.Reconfigure(config with { TrafficDistribution = new() { AutoCapacityDrain = true } });

        Assert.Equal(20, Drain(pool, running).Count(d => d.Decision.Endpoint == PoolFixture.Id(0)));
    }

    // Two backends of one endpoint each, least predicted cost.
    private static (PoolFixture Pool, PoolConfig Config) LateBinding()
    {
        var plain = PoolFixture.Config(2);
        var config = plain with
        {
            Scheduling = new SchedulingConfig(),
            Backends =
            [
                plain.Backends[0] with { Endpoints = [plain.Backends[0].Endpoints[0]] },
                plain.Backends[0] with { Id = new BackendId("gke-west", "z", 8000), Endpoints = [plain.Backends[0].Endpoints[1]] },
            ],
        };
        return (new PoolFixture(config), config);
    }

    private static (List<long> Waiting, List<LeaseId> Running) FillUntilTwentyWait(PoolFixture pool)
    {
        var (waiting, running) = (new List<long>(), new List<LeaseId>());
        while (waiting.Count < 20)
        {
            var decision = pool.Route(pool.Request(prompt: 8000) with { IsStreaming = true });
            if (decision.Kind == RouteKind.Wait) waiting.Add(decision.Ticket);
            else running.Add(decision.Lease);
        }
        return (waiting, running);
    }

    // What is decided while every prompt is done after 100 ms.
    private static List<(long Ticket, RouteDecision Decision)> Drain(PoolFixture pool, List<LeaseId> running)
    {
        var all = new List<(long, RouteDecision)>();
        for (var i = 0; i < 200; i++)
        {
            pool.Time.Advance(TimeSpan.FromMilliseconds(100));
            pool.State.Heartbeat(PoolFixture.Session);
            foreach (var lease in running) pool.State.ReportFirstByte(lease);
            running.Clear();
            pool.State.Tick();
            while (pool.State.TryTakeDecided(out var ticket, out var decision))
            {
                all.Add((ticket, decision));
                running.Add(decision.Lease);
            }
        }
        return all;
    }

    // All requests come, wait, and are placed by completions.
    private static void Round(FlowFixture flow, RouteRequest[] requests, Queue<LeaseId> running)
    {
        var outcome = new RequestOutcome(OutcomeKind.Success);
        for (var i = 0; i < requests.Length; i++) flow.State.Route(in requests[i]);
        for (var i = 0; i < requests.Length; i++)
        {
            flow.State.Complete(running.Dequeue(), in outcome);
            while (flow.State.TryTakeDecided(out _, out var decision)) running.Enqueue(decision.Lease);
        }
    }

    private static void Sample(FlowFixture flow, double kv) => flow.State.Apply(new EndpointSample
    {
        Endpoint = PoolFixture.Id(0),
        Timestamp = flow.Pool.Time.GetTimestamp(),
        NamedMetrics = ImmutableSortedDictionary<string, double>.Empty.Add("kv-cache", kv),
    });

    // Moves without allocating.
    private sealed class BareClock : TimeProvider
    {
        public long Ticks { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Ticks;
    }
}
