using Mesh.Simulation.Faults;
using Mesh.Simulation.Faults.Pools;
using Mesh.Simulation.Faults.Processes;
using Mesh.Simulation.Faults.Script;

namespace Mesh.Simulation.Tests.Faults;

public class ScriptTests
{
    [Fact]
    public void ParseScript_LinesAndComments_GivesFaultsThatPrintAlike()
    {
        var faults = Fault.ParseScript(["# a bad day", "", "1500 endpoint-crash 2 4000", "2500.5 region-cut 1   800 # and worse", "3000 clients-leave 0"]);

        Assert.Equal(
            [new Fault(1500, FaultKind.EndpointCrash, 2, 4000), new Fault(2500.5, FaultKind.RegionCut, 1, 800), new Fault(3000, FaultKind.ClientsLeave, 0, 1000)], faults);
        Assert.Equal(faults, Fault.ParseScript(faults.Select(f => f.ToString())));
    }

    [Theory]
    [InlineData("1500 endpoint-crash")]
    [InlineData("soon endpoint-crash 2 4000")]
    [InlineData("1500 earthquake 2 4000")]
    [InlineData("-1 endpoint-crash 2 4000")]
    [InlineData("1500 endpoint-crash -2 4000")]
    [InlineData("1500 endpoint-crash 2 4000 5")]
    public void ParseScript_BadLine_NamesIt(string line)
    {
        var error = Assert.Throws<FormatException>(() => Fault.ParseScript(["1 region-cut 0 1", line]));
        Assert.StartsWith("Line 2: ", error.Message);
        Assert.Contains("endpoint-crash", error.Message);
    }

    [Fact]
    public void Run_NothingBreaks_EveryRequestIsAnswered()
    {
        var world = Play(Calm(), out _);

        Assert.True(world.Requests > 30);
        Assert.Equal(world.Requests, world.Ended(RequestEnd.Answered));
    }

    [Fact]
    public void Run_OneOfTwoEndpointsCrashes_RequestsFailOverAndOnlyBegunAnswersBreak()
    {
        var world = Play(Calm(new Fault(3000, FaultKind.EndpointCrash, 0, 1500)), out var log);

        Assert.Equal(world.Requests, world.Ended(RequestEnd.Answered) + world.Ended(RequestEnd.Broken));
        Assert.Contains("drops", log);
        Assert.True(world.Ended(RequestEnd.Broken) <= 5);
    }

    [Fact]
    public void Run_GatewayCrashes_ItsRequestsAreLostAndNoOthers()
    {
        var world = Play(Calm(new Fault(3000, FaultKind.GatewayCrash, 0, 1500)) with { GatewaysPerRegion = 2 }, out var log);

        Assert.True(world.Ended(RequestEnd.GatewayLost) > 0);
        Assert.Equal(world.Requests, world.Ended(RequestEnd.Answered) + world.Ended(RequestEnd.GatewayLost));
        Assert.Contains("gateway-0@1 dies with", log);
        Assert.Contains("gateway-0@2 sends", log);
    }

    [Fact]
    public void Run_EngineRestarts_GatewaysAnnounceAndStreamsGoOn()
    {
        var world = Play(Calm(new Fault(3000, FaultKind.EngineRestart, 0, 300)), out var log);

        Assert.Equal(world.Requests, world.Ended(RequestEnd.Answered) + world.Ended(RequestEnd.Refused));
        Assert.Contains("announces", log);
        Assert.Contains("under 2-", log);
    }

    [Fact]
    public void Run_EndpointRemoved_NoRequestFails()
    {
        var world = Play(Calm(new Fault(3000, FaultKind.EndpointRemoved, 1, 2000)), out _);

        Assert.Equal(world.Requests, world.Ended(RequestEnd.Answered));
    }

    [Fact]
    public void Run_EveryEndpointAsleep_RefusesWithReasons()
    {
        var world = Play(Calm(new Fault(2500, FaultKind.EndpointSleep, 0, 2000), new Fault(2500, FaultKind.EndpointSleep, 1, 2000)), out var log);

        Assert.True(world.Ended(RequestEnd.Refused) > 0);
        Assert.Contains("Refused NoReadyEndpoint", log);
    }

    [Fact]
    public void Run_ClientsLeave_TheirRequestsStopAtTheEndpoints()
    {
        var world = Play(Calm(new Fault(3000, FaultKind.ClientsLeave, 0, 0)), out _);

        Assert.True(world.Ended(RequestEnd.ClientLeft) > 0);
        Assert.Equal(world.Requests, world.Ended(RequestEnd.Answered) + world.Ended(RequestEnd.ClientLeft));
    }

    [Fact]
    public void Run_ModelListedNowhereAnyMore_RefusesWithThatReason()
    {
        var world = Play(Calm(new Fault(2500, FaultKind.ModelsChange, 0, 2000), new Fault(2500, FaultKind.ModelsChange, 1, 2000)) with { Models = 1 }, out var log);

        Assert.Contains("Refused UnknownModel", log);
        Assert.True(world.Ended(RequestEnd.Answered) > 20);
    }

    [Fact]
    public void Run_TwoPools_EachEndpointServesItsOwn()
    {
        var world = Play(Calm() with { PoolWeights = [3, 1], EndpointsPerRegion = 4 }, out var log);

        Assert.Equal(world.Requests, world.Ended(RequestEnd.Answered));
        Assert.All(Enumerable.Range(0, 4), e => Assert.Contains($" to 10.0.0.{e}:8000 ", log));
    }

    [Fact]
    public void Run_RateFarBelowTheLoad_ShedsTheRest()
    {
        var world = Play(Calm() with { MaxRate = 1, FlowControl = new() { WhenFull = Core.FlowControl.WhenFull.Shed } }, out var log);

        Assert.Contains("Refused Saturated", log);
        Assert.InRange(world.Ended(RequestEnd.Answered), 4, 4 + (2 * 8));
    }

    private static FaultWorld Play(FaultPlan plan, out string log)
    {
        var writer = new StringWriter();
        var world = new FaultWorld(plan, CorePool.Create, writer, recountEvery: 1);
        Assert.Null(world.Run());
        log = writer.ToString();
        return world;
    }

    // One region, one gateway, two endpoints, ten requests a second, and no misfortune but these.
    private static FaultPlan Calm(params Fault[] faults) => FaultPlan.Of(1, faults) with
    {
        Regions = 1,
        GatewaysPerRegion = 1,
        EndpointsPerRegion = 2,
        PoolWeights = [1],
        Models = 0,
        MaxRate = null,
        DurationMs = 6000,
        RequestsPerSecond = 12,
        LeavingShare = 0,
        Profile = "mesh",
        FlowControl = new(),
        MaxInFlight = null,
        AutoCapacityDrain = false,
        Timeout = TimeSpan.FromSeconds(20),
        AttemptTimeout = null,
        DrainingLimit = null,
        MaxLeases = 4096,
        EndpointQueueLimit = 1000,
        LossShare = 0,
        DuplicateShare = 0,
    };
}
