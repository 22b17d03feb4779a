using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.FlowControl;
using Mesh.Simulation.Fleets;
using Mesh.Simulation.Model;
using Mesh.Simulation.Reports;
using Mesh.Simulation.Traces;
using Mesh.Simulation.World;

namespace Mesh.Simulation.Tests.Fleets;

public sealed class FleetWorldTests
{
    private static readonly VllmModelOptions Engine = new WorldOptions().Engine;

    private static EndpointId Id(int number) => new($"10.0.0.{number}:8000");

    // Two regions 100 ms apart; the endpoints stand where the list says.
    private static FleetTopology Fleet(int[] regionOf, params ClientGroup[] clients) => new()
    {
        Regions = ["east", "west"],
        RoundTripMs = [[1, 100], [100, 1]],
        Endpoints = [.. regionOf.Select((r, i) => new FleetEndpoint(r, Id(i), Engine))],
        Clients = clients,
    };

    private static PoolConfig Pool(FleetTopology fleet, TimeSpan timeout, BackendSettings? settings = null, FlowControlSettings? flowControl = null) => new()
    {
        Id = new PoolId("default", "pool"),
        Timeout = timeout,
        FlowControl = flowControl ?? new(),
        Backends =
        [
            .. fleet.Endpoints.GroupBy(e => e.Region).OrderBy(g => g.Key).Select(g => new BackendConfig
            {
                Id = new BackendId(fleet.Regions[g.Key], "zone", 8000),
                Region = fleet.Regions[g.Key],
                Settings = settings ?? new(),
                Endpoints = [.. g.Select(e => new EndpointConfig { Id = e.Id, PodName = e.Id.Address })],
            }),
        ],
    };

    private static IEnumerable<TraceRequest> Rows(int count, double gapMs, int promptTokens = 100, int outputTokens = 10)
    {
        for (var i = 0; i < count; i++)
            yield return new TraceRequest { ArrivalMs = i * gapMs, PromptTokens = promptTokens, OutputTokens = outputTokens, Session = (ulong)i + 1 };
    }

    private static RunFigures Play(FleetTopology fleet, PoolConfig pool, string router, IEnumerable<TraceRequest> rows) =>
        new PolicyFleet(fleet, pool, 1).Play(new ReplayRun(router, "", new SloTarget()), rows, CancellationToken.None).Track.Figures;

    [Theory]
    [InlineData("mesh")]
    [InlineData("least-request")]
    public void Run_OnlyEndpointFarAway_TakesARoundTripMore(string router)
    {
        var near = Fleet([0], new ClientGroup(0, 1));
        var far = Fleet([1], new ClientGroup(0, 1));
        var rows = Rows(5, 1000).ToList();
        var nearby = Play(near, Pool(near, TimeSpan.FromHours(1)), router, rows);
        var distant = Play(far, Pool(far, TimeSpan.FromHours(1)), router, rows);
        Assert.Equal((0.0, 1.0), (nearby.CrossRegionShare, distant.CrossRegionShare));
        Assert.Equal(99, distant.TtftMs.P50 - nearby.TtftMs.P50, 6);
        Assert.Equal(99, distant.E2eMs.P50 - nearby.E2eMs.P50, 6);
        Assert.Equal(5, distant.Flows[0][1]);
    }

    [Fact]
    public void Run_OwnRegionAtTarget_OverflowsToTheOther()
    {
        var fleet = Fleet([0, 1], new ClientGroup(0, 1));
        var settings = new BackendSettings { Mode = BalancingMode.InFlight, MaxInFlightPerEndpoint = 2 };
        var figures = Play(fleet, Pool(fleet, TimeSpan.FromHours(1), settings), "core-least-request", Rows(4, 1, outputTokens: 500));
        Assert.Equal((2L, 2L), (figures.Flows[0][0], figures.Flows[0][1]));
        Assert.Equal(0, figures.Refused);
    }

    [Fact]
    public void Run_AllAtTargetAndShed_RefusesWithReason()
    {
        var fleet = Fleet([0, 1], new ClientGroup(0, 1));
        var settings = new BackendSettings { Mode = BalancingMode.InFlight, MaxInFlightPerEndpoint = 1 };
        var figures = Play(fleet, Pool(fleet, TimeSpan.FromHours(1), settings, new FlowControlSettings { WhenFull = WhenFull.Shed }), "core-least-request", Rows(5, 1, outputTokens: 500));
        Assert.Equal((5, 3), (figures.Requests, figures.Refused));
        Assert.Equal(3, figures.RefusedBy["saturated"]);
        Assert.Equal(0.4, figures.GoodputShare, 9);
    }

    [Fact]
    public void Run_NegativePriority_IsShedWhereOthersGoOn()
    {
        var fleet = Fleet([0], new ClientGroup(0, 1, Priority: -1));
        var settings = new BackendSettings { Mode = BalancingMode.InFlight, MaxInFlightPerEndpoint = 1 };
        var figures = Play(fleet, Pool(fleet, TimeSpan.FromHours(1), settings), "core-least-request", Rows(3, 1, outputTokens: 500));
        Assert.Equal(2, figures.RefusedBy["priority_shed"]);
        fleet = Fleet([0], new ClientGroup(0, 1));
        Assert.Equal(0, Play(fleet, Pool(fleet, TimeSpan.FromHours(1), settings), "core-least-request", Rows(3, 1, outputTokens: 500)).Refused);
    }

    [Theory]
    [InlineData("mesh")]
    [InlineData("mesh-early")]
    [InlineData("least-request")]
    [InlineData("omniscient")]
    public void Run_LongerThanTheTimeout_IsGivenUp(string router)
    {
        var fleet = Fleet([0], new ClientGroup(0, 1));
        var figures = Play(fleet, Pool(fleet, TimeSpan.FromSeconds(2)), router, Rows(20, 100, outputTokens: 5000));
        Assert.Equal(20, figures.Requests);
        Assert.Equal(20, figures.RefusedBy["request_timeout"]);
        // What was given up no longer burdens the engine: a short one afterwards is served as on the first day.
        var rows = Rows(20, 100, outputTokens: 5000).Append(new TraceRequest { ArrivalMs = 10_000, PromptTokens = 100, OutputTokens = 10, Session = 99 });
        figures = Play(fleet, Pool(fleet, TimeSpan.FromSeconds(2)), router, rows);
        Assert.Equal((21, 20), (figures.Requests, figures.Refused));
        Assert.True(figures.E2eMs.P50 < 200);
    }

    [Fact]
    public void Run_PromptLongerThanTheEngineTakes_IsRefusedByIt()
    {
        var fleet = Fleet([0], new ClientGroup(0, 1));
        fleet = fleet with { Endpoints = [new FleetEndpoint(0, Id(0), Engine with { MaxModelLen = 1000 })] };
        var figures = Play(fleet, Pool(fleet, TimeSpan.FromSeconds(10)), "mesh", Rows(3, 100, promptTokens: 1000));
        Assert.Equal(3, figures.RefusedBy["prompt_too_long"]);
    }

    [Fact]
    public void Run_FasterHardware_AnswersFaster()
    {
        var slow = Fleet([0], new ClientGroup(0, 1));
        var fast = slow with { Endpoints = [new FleetEndpoint(0, Id(0), Engine with { StepTimes = Engine.StepTimes.Scaled("fast", 0.5, 0.5) })] };
        var rows = Rows(3, 5000, promptTokens: 2000).ToList();
        var slowTpot = Play(slow, Pool(slow, TimeSpan.FromHours(1)), "mesh", rows).TpotMs.P50;
        Assert.Equal(slowTpot / 2, Play(fast, Pool(fast, TimeSpan.FromHours(1)), "mesh", rows).TpotMs.P50, 6);
    }

    [Fact]
    public void Validate_BlockSizesDiffer_IsRefused()
    {
        var fleet = Fleet([0, 0], new ClientGroup(0, 1));
        fleet = fleet with { Endpoints = [fleet.Endpoints[0], new FleetEndpoint(0, Id(1), Engine with { BlockSize = 32 })] };
        Assert.Throws<ArgumentException>(() => Play(fleet, Pool(fleet, TimeSpan.FromHours(1)), "mesh", []));
    }

    [Fact]
    public void OwnRegion_RegionWithoutEndpoints_SeesTheNearest()
    {
        var fleet = Fleet([1, 1], new ClientGroup(0, 1));
        Assert.Equal([[0, 1], [0, 1]], FleetView.OwnRegion(fleet));
        fleet = Fleet([1, 0], new ClientGroup(0, 1));
        Assert.Equal([[1], [0]], FleetView.OwnRegion(fleet));
        Assert.Equal([[0, 1], [0, 1]], FleetView.Whole(fleet));
    }

    // Whatever is drawn, every request ends once, and what was sent is what was answered or cut.
    [Fact]
    public void Run_RandomFleets_EveryRequestEnds()
    {
        for (ulong seed = 1; seed <= 12; seed++)
        {
            var random = new Core.Randomness.Xoshiro256(seed);
            var regionOf = Enumerable.Range(0, 1 + random.NextInt32(6)).Select(_ => random.NextInt32(2)).ToArray();
            var fleet = Fleet(regionOf, new ClientGroup(0, 1), new ClientGroup(1, 2, Priority: -1));
            var settings = new BackendSettings { Mode = BalancingMode.InFlight, MaxInFlightPerEndpoint = 1 + random.NextInt32(8) };
            var flow = new FlowControlSettings { WhenFull = (WhenFull)random.NextInt32(3), MaxWaitingRequests = 5, MaxWait = TimeSpan.FromSeconds(1) };
            var pool = Pool(fleet, TimeSpan.FromSeconds(1 + random.NextInt32(5)), settings, flow);
            foreach (var router in (string[])["mesh", "mesh-early", "core-power-of-two", "epp-default", "session"])
            {
                var figures = Play(fleet, pool, router, Rows(300, 20, 400, 200));
                Assert.True(figures.Requests == 300, $"seed {seed}, {router}: {figures.Requests}");
                Assert.Equal(figures.Refused, figures.RefusedBy.Values.Sum());
                Assert.True(figures.Flows.Sum(row => row.Sum()) >= 300 - figures.Refused, $"seed {seed}, {router}");
            }
        }
    }
}
