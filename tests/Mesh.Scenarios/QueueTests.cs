using Mesh.Core.Config;
using Mesh.Core.FlowControl;
using Mesh.Core.Routing;

namespace Mesh.Scenarios;

/// <summary>Overload with a queue: who gets what, and how long it takes.</summary>
public sealed class QueueTests
{
    private static readonly BackendSettings InFlight10 = new() { Mode = BalancingMode.InFlight, MaxInFlightPerEndpoint = 10 };
    private static readonly FlowControlSettings Queue = new() { WhenFull = WhenFull.Queue, Order = QueueOrder.Fcfs, MaxWait = TimeSpan.FromSeconds(10) };

    [Fact]
    public void Full_NothingOverfills()
    {
        var result = Play([new ScenarioArrivals { Kind = ArrivalKind.Closed, Clients = 60, ServiceSeconds = 1, Service = ServiceKind.Exponential }]);

        Assert.Equal((20, 20), (result.MostRunning("west"), result.MostRunning("east")));
        Assert.InRange(result.MeanRunning("west") + result.MeanRunning("east"), 39.99, 40);
        Assert.Equal(0, result.Count(TraceKind.Refuse));
    }

    [Fact]
    public void OverloadByOneFlow_TheOtherHardlyWaits()
    {
        // 40 places of 1 s: 40 per second. The flood offers 100, the other flow 10.
        var result = Play(
            [
                new ScenarioArrivals { Kind = ArrivalKind.Poisson, PerSecond = 100, ServiceSeconds = 1, Service = ServiceKind.Exponential, FairnessId = "flood" },
                new ScenarioArrivals { Kind = ArrivalKind.Poisson, PerSecond = 10, ServiceSeconds = 1, Service = ServiceKind.Exponential, FairnessId = "small" },
            ]);

        var waits = Waits(result, stream: 1);
        Assert.Equal(0, result.Trace.Count(t => t.Kind == TraceKind.Refuse && t.Stream == 1));
        Assert.InRange(waits.Average(), 0, 0.1);
        Assert.InRange(waits.Max(), 0, 0.7);
        Assert.True(result.Trace.Count(t => t.Reason == DecisionReason.QueueTimeout && t.Stream == 0) > 1000);
    }

    [Fact]
    public void HigherPriority_DoesNotFeelTheLower()
    {
        var result = Play(
            [
                new ScenarioArrivals { Kind = ArrivalKind.Poisson, PerSecond = 100, ServiceSeconds = 1, Service = ServiceKind.Exponential },
                new ScenarioArrivals { Kind = ArrivalKind.Poisson, PerSecond = 30, ServiceSeconds = 1, Service = ServiceKind.Exponential, Priority = 1 },
                new ScenarioArrivals { Kind = ArrivalKind.Poisson, PerSecond = 10, ServiceSeconds = 1, Service = ServiceKind.Exponential, Priority = -1 },
            ]);

        Assert.InRange(Waits(result, stream: 1).Average(), 0, 0.2);
        Assert.DoesNotContain(result.Trace, t => t.Kind == TraceKind.Refuse && t.Stream == 1);
        // The queue is never empty, so that nothing is left for what is sheddable.
        var shed = result.Trace.Where(t => t.Stream == 2 && t.Kind is TraceKind.Refuse or TraceKind.Send && t.At.TotalSeconds > 5).ToArray();
        Assert.All(shed.Where(t => t.Stream == 2), t => Assert.Equal(DecisionReason.PriorityShed, t.Reason));
        Assert.InRange(result.MeanRunning("west") + result.MeanRunning("east"), 39.99, 40);
    }

    [Fact]
    public void RateTarget_WithAQueue_HoldsToWithin1Percent()
    {
        var settings = new BackendSettings { Mode = BalancingMode.Rate, MaxRatePerEndpoint = 10 };
        var result = Play([new ScenarioArrivals { Kind = ArrivalKind.Poisson, PerSecond = 60, ServiceSeconds = 0.2 }], settings);

        Assert.InRange(result.PlacedPerSecond("west"), 19.8, 20.2);
        Assert.InRange(result.PlacedPerSecond("east"), 19.8, 20.2);
    }

    [Fact]
    public void Dispatch_FollowsCompletions()
    {
        var result = Play([new ScenarioArrivals { Kind = ArrivalKind.Closed, Clients = 60, ServiceSeconds = 1, Service = ServiceKind.Exponential }]);

        // Each place that came free was taken at that very moment.
        var ends = result.Trace.Where(t => t.Kind == TraceKind.End).Select(t => t.At).ToHashSet();
        var waited = result.Trace.Where(t => t.Kind == TraceKind.Wait).Select(t => t.Number).ToHashSet();
        Assert.All(result.Trace.Where(t => t.Kind == TraceKind.Send && waited.Contains(t.Number)), t => Assert.Contains(t.At, ends));
    }

    private static List<double> Waits(ScenarioResult result, int stream)
    {
        var arrived = new Dictionary<int, TimeSpan>();
        var waits = new List<double>();
        foreach (var entry in result.Trace)
        {
            if (entry.Stream != stream) continue;
            if (entry.Kind == TraceKind.Arrive) arrived.Add(entry.Number, entry.At);
            if (entry.Kind == TraceKind.Send) waits.Add((entry.At - arrived[entry.Number]).TotalSeconds);
        }
        return waits;
    }

    private static ScenarioResult Play(ScenarioArrivals[] arrivals, BackendSettings? settings = null) => ScenarioPlayer.Play(new Scenario
    {
        Name = "queue",
        DurationSeconds = 120,
        WarmUpSeconds = 20,
        FlowControl = Queue,
        Backends = GoldenOverflowTests.Two(settings ?? InFlight10),
        Arrivals = [.. arrivals],
    });
}
