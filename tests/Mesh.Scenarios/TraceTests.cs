using System.Text.Json;
using Mesh.Core.Routing;

namespace Mesh.Scenarios;

/// <summary>One scenario, one trace: on any host, at any time.</summary>
public sealed class TraceTests
{
    public static TheoryData<string> All => [.. ScenarioFiles.All];

    private static Scenario BusyDay => ScenarioFiles.Read("busy-day");

    [Fact]
    public void Play_SameSeedTwice_GivesTheSameTrace()
    {
        var first = ScenarioPlayer.Play(BusyDay);
        var second = ScenarioPlayer.Play(BusyDay);

        Equal(first, second);
        Assert.NotEqual(first.Trace.Select(t => t.ToString()), ScenarioPlayer.Play(BusyDay with { Seed = 2 }).Trace.Select(t => t.ToString()));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Play_OnTheEmbeddedRouter_GivesTheSameTraceAsOnTheState(string name)
    {
        var scenario = ScenarioFiles.Read(name);

        Equal(ScenarioPlayer.Play(scenario), ScenarioPlayer.Play(scenario, EmbeddedRouterHost.Create));
    }

    [Fact]
    public void Play_BusyDay_EveryKindOfDecisionOccursAndEveryRequestIsAccountedFor()
    {
        var result = ScenarioPlayer.Play(BusyDay);

        foreach (var reason in new[]
        {
            DecisionReason.LeastCost, DecisionReason.Overflow, DecisionReason.Overfill, DecisionReason.SessionAffinity,
            DecisionReason.PriorityShed, DecisionReason.QueueFull, DecisionReason.QueueEvicted, DecisionReason.QueueTimeout,
        })
        {
            Assert.True(result.Trace.Any(t => t.Reason == reason), $"{reason} does not occur");
        }

        Assert.True(result.Count(TraceKind.Leave) > 0);
        var open = result.Count(TraceKind.Arrive) - result.Count(TraceKind.Refuse) - result.Count(TraceKind.Leave) - result.Count(TraceKind.End);
        Assert.Equal(result.Last.Leases + result.Last.Queue.Sum(b => b.Requests), open);
        Assert.All(result.Trace.Where(t => t.Kind == TraceKind.Refuse), t => Assert.InRange(t.RetryAfter.TotalSeconds, 1, 60));
    }

    [Fact]
    public void Write_ThenParse_IsTheSameScenario()
    {
        var scenario = BusyDay;

        var again = ScenarioReader.Parse(ScenarioReader.Write(scenario));

        Assert.Equal(ScenarioReader.Write(scenario), ScenarioReader.Write(again));
        Equal(ScenarioPlayer.Play(scenario), ScenarioPlayer.Play(again));
    }

    [Fact]
    public void Parse_UnknownMember_IsAnError() =>
        Assert.Throws<JsonException>(() => ScenarioReader.Parse("""{"name":"x","durationSeconds":1,"backends":[],"arivals":[]}"""));

    private static void Equal(ScenarioResult expected, ScenarioResult actual)
    {
        for (var i = 0; i < Math.Min(expected.Trace.Length, actual.Trace.Length); i++)
        {
            Assert.True(expected.Trace[i] == actual.Trace[i], $"seed {expected.Scenario.Seed}, entry {i}: {expected.Trace[i]} and {actual.Trace[i]}");
        }
        Assert.Equal(expected.Trace.Length, actual.Trace.Length);
        Assert.Equal(expected.Last.Leases, actual.Last.Leases);
    }
}
