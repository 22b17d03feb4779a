using Mesh.Scenarios;

namespace Mesh.Grains.Tests;

/// <summary>One scenario, one trace: also where every call goes over the wire to a grain.</summary>
public sealed class TraceTests
{
    public static TheoryData<string> All => [.. ScenarioFiles.All];

    [Theory]
    [MemberData(nameof(All))]
    public void Play_OnTheGrainsOfThreeSilos_GivesTheSameTraceAsOnTheState(string name)
    {
        var scenario = ScenarioFiles.Read(name);
        var expected = ScenarioPlayer.Play(scenario);

        var actual = ScenarioPlayer.Play(scenario, GrainScenarioHost.Create);

        for (var i = 0; i < Math.Min(expected.Trace.Length, actual.Trace.Length); i++)
        {
            Assert.True(expected.Trace[i] == actual.Trace[i], $"entry {i}: {expected.Trace[i]} / {actual.Trace[i]}");
        }
        Assert.Equal(expected.Trace.Length, actual.Trace.Length);
        Assert.Equal(expected.Last.Leases, actual.Last.Leases);
    }
}
