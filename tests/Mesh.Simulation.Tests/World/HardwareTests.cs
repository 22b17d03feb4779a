using Mesh.Simulation.Fleets;
using Mesh.Simulation.Model;
using Mesh.Simulation.Reports;
using Mesh.Simulation.Traces;
using Mesh.Simulation.World;

namespace Mesh.Simulation.Tests.World;

public class HardwareTests
{
    private static readonly VllmModelOptions Measured = new WorldOptions().Engine;

    [Fact]
    public void ParseFleet_KindsAndWeights_AreDealtOutInTurn()
    {
        var options = new WorldOptions { EndpointsPerRegion = 8, Hardware = HardwareProfile.ParseFleet("1=3,2.5/1.8/17000", Measured) };
        options.Validate();

        Assert.Equal(["1", "1", "1", "2.5/1.8/17000", "1", "1", "1", "2.5/1.8/17000"], Enumerable.Range(0, 8).Select(i => options.Hardware.Single(h => h.Engine == options.EngineOf(i)).Name));
        var slow = options.EngineOf(3);
        Assert.Equal(17_000, slow.NumGpuBlocks);
        Assert.Equal(2.5 * 52.259, slow.StepTimes.PrefillMs(2048), 9);
        Assert.Equal(1.8 * 6.57, slow.StepTimes.DecodeMs(1, 128), 9);
    }

    [Theory]
    [InlineData("fast")]
    [InlineData("0")]
    [InlineData("1/2/3/4")]
    [InlineData("1=0")]
    [InlineData("1=2=3")]
    [InlineData("1/1/many")]
    public void ParseFleet_BadKind_NamesIt(string text) =>
        Assert.Contains($"'{text}'", Assert.Throws<FormatException>(() => HardwareProfile.ParseFleet($"1,{text}", Measured)).Message);

    [Fact]
    public void Run_HalfTheFleetFourTimesAsSlow_MeshLearnsWhereToSend()
    {
        var options = new WorldOptions { EndpointsPerRegion = 4, Hardware = HardwareProfile.ParseFleet("1,4", Measured) };
        var trace = new GeneratedSessions(new SessionOptions { Duration = TimeSpan.FromMinutes(3), RequestsPerSecond = 8 });

        double TtftP90(string router) => new EqualEndpoints(options).Play(new ReplayRun(router, "", new SloTarget()), trace.At(8), CancellationToken.None).Track.Figures.TtftMs.P90;

        Assert.True(TtftP90("mesh") < TtftP90("round-robin"), "requests go to the slow half as to the fast one");
    }
}
