using Mesh.Core.Config;
using Mesh.Core.FlowControl;
using Mesh.Core.Routing;

namespace Mesh.Core.Tests.FlowControl;

/// <summary>What becomes of a request when every backend is at target.</summary>
public sealed class AdmissionTests
{
    [Fact]
    public void Route_FullByDefault_Overfills()
    {
        var flow = new FlowFixture(1, new FlowControlSettings());
        flow.Route();

        foreach (var decision in new[] { flow.Route(), flow.Route(priority: 7) })
            Assert.Equal((RouteKind.Send, DecisionReason.Overfill), (decision.Kind, decision.Reason));
    }

    [Theory]
    [InlineData(WhenFull.Overfill)]
    [InlineData(WhenFull.Queue)]
    [InlineData(WhenFull.Shed)]
    public void Route_NegativePriorityAndFull_IsShedWithATimeToComeBack(WhenFull whenFull)
    {
        var flow = new FlowFixture(1, new FlowControlSettings { WhenFull = whenFull });
        flow.Route();

        var decision = flow.Route(priority: -1);

        Assert.Equal((RouteKind.Refuse, DecisionReason.PriorityShed), (decision.Kind, decision.Reason));
        Assert.InRange(decision.RetryAfter.TotalSeconds, 1, 60);
    }

    [Fact]
    public void Route_NegativePriorityAndRoom_IsSent()
    {
        var flow = new FlowFixture(1, FlowFixture.Queue);

        Assert.Equal(RouteKind.Send, flow.Route(priority: -1).Kind);
    }

    [Fact]
    public void Route_NegativePriority_IsSentWhereThoseWhoWaitCannotGo()
    {
        var flow = TwoModels();
        flow.Route(model: "a");
        flow.Wait(model: "a");

        Assert.Equal(RouteKind.Send, flow.Route(priority: -1, model: "b").Kind);
        Assert.Equal(DecisionReason.PriorityShed, flow.Route(priority: -1, model: "a").Reason);
    }

    [Fact]
    public void Route_ShedPolicyAndFull_IsRefusedAsSaturated()
    {
        var flow = new FlowFixture(1, new FlowControlSettings { WhenFull = WhenFull.Shed });
        flow.Route();

        var decision = flow.Route(priority: 5);

        Assert.Equal((RouteKind.Refuse, DecisionReason.Saturated), (decision.Kind, decision.Reason));
        Assert.Equal(TimeSpan.FromSeconds(1), decision.RetryAfter);
    }

    [Fact]
    public void Route_NothingReady_IsRefusedAtOnceEvenBehindOthers()
    {
        var flow = new FlowFixture(1, FlowFixture.Queue);
        flow.Route();
        flow.Wait();
        foreach (var success in new[] { false, false }) flow.Pool.Probe(0, success);

        var decision = flow.Route();

        Assert.Equal((RouteKind.Refuse, DecisionReason.NoReadyEndpoint), (decision.Kind, decision.Reason));
        Assert.Equal(TimeSpan.FromSeconds(5), decision.RetryAfter);
    }

    [Fact]
    public void Route_FullAndNobodyHasTheModel_IsRefusedAtOnce()
    {
        var flow = AdmissionTests.TwoModels();
        flow.Route(model: "a");
        flow.Route(model: "b");

        Assert.Equal((RouteKind.Refuse, DecisionReason.UnknownModel), (flow.Route(model: "c").Kind, flow.Route(model: "c").Reason));
        Assert.Equal(DecisionReason.UnknownModel, flow.Route(priority: -1, model: "c").Reason);
        flow.Wait(model: "a");
    }

    [Fact]
    public void Route_QueueFullOfItsOwnPriority_IsRefused()
    {
        var flow = new FlowFixture(1, FlowFixture.Queue with { MaxWaitingRequests = 2 });
        flow.Route();
        flow.Wait();
        flow.Wait();

        Assert.Equal(DecisionReason.QueueFull, flow.Route().Reason);
        Assert.Equal(DecisionReason.QueueFull, flow.Route(priority: 0).Reason);
        Assert.Equal(2, flow.Waiting);
    }

    [Fact]
    public void Snapshot_Waiting_TellsTheOldestWaitOfEachPriority()
    {
        var flow = new FlowFixture(1, FlowFixture.Queue);
        flow.Route();
        flow.Wait(priority: 1);
        flow.Pool.Time.Advance(TimeSpan.FromSeconds(2));
        flow.Wait(priority: 1);
        flow.Wait(priority: 0);
        flow.Pool.Time.Advance(TimeSpan.FromSeconds(0.5));

        Assert.Equal(
            [(1, 2, TimeSpan.FromSeconds(2.5)), (0, 1, TimeSpan.FromSeconds(0.5))],
            flow.State.Snapshot().Queue.Select(b => (b.Priority, b.Requests, b.OldestWait)));
    }

    [Fact]
    public void Route_QueueFull_TheLowestBandsNewestGivesItsPlace()
    {
        var flow = new FlowFixture(1, FlowFixture.Queue with { MaxWaitingRequests = 3 });
        flow.Route();
        flow.Wait(priority: 1);
        var older = flow.Wait(priority: 0, flow: "a");
        var newest = flow.Wait(priority: 0, flow: "b");

        flow.Wait(priority: 2);

        var (ticket, decision) = flow.DecidedOne();
        Assert.Equal((newest, RouteKind.Refuse, DecisionReason.QueueEvicted), (ticket, decision.Kind, decision.Reason));
        Assert.True(decision.RetryAfter > TimeSpan.Zero);
        flow.Wait(priority: 1);
        Assert.Equal(older, flow.DecidedOne().Ticket);
        Assert.Equal(DecisionReason.QueueFull, flow.Route(priority: 1).Reason);
        Assert.Empty(flow.Decided());
    }

    [Fact]
    public void Route_QueueFullOfBytes_EvictsAsManyAsItTakes()
    {
        var flow = new FlowFixture(1, FlowFixture.Queue with { MaxWaitingBytes = 100 });
        flow.Route();
        var first = flow.Wait(bytes: 40);
        var second = flow.Wait(bytes: 40);
        Assert.Equal(DecisionReason.QueueFull, flow.Route(bytes: 21).Reason);
        flow.Wait(bytes: 20);

        flow.Wait(priority: 1, bytes: 60);

        Assert.Equal([second, second + 1], flow.Decided().Select(d => d.Ticket).Order());
        Assert.True(flow.State.CancelWait(first));
    }

    [Theory]
    [InlineData(101)]
    [InlineData(70)]
    public void Route_TooBigWhateverIsEvicted_NobodyLosesAPlace(int bytes)
    {
        var flow = new FlowFixture(1, FlowFixture.Queue with { MaxWaitingBytes = 100 });
        flow.Route();
        flow.Wait(priority: 0, bytes: 40);
        flow.Wait(priority: 1, bytes: 40);

        Assert.Equal(DecisionReason.QueueFull, flow.Route(priority: 1, bytes: bytes).Reason);
        Assert.Empty(flow.Decided());
        Assert.Equal(2, flow.Waiting);
    }

    [Fact]
    public void Reconfigure_NarrowerBounds_TheNewestOfTheLowestBandLeave()
    {
        var flow = new FlowFixture(1, FlowFixture.Queue);
        flow.Route();
        var high = flow.Wait(priority: 1);
        var tickets = Enumerable.Range(0, 3).Select(_ => flow.Wait()).ToArray();

        flow.State.Reconfigure(flow.Config with { FlowControl = FlowFixture.Queue with { MaxWaitingRequests = 2 } });

        Assert.Equal([tickets[2], tickets[1]], flow.Decided().Select(d => d.Ticket));
        Assert.True(flow.State.CancelWait(high));
    }

    [Fact]
    public void Reconfigure_ToOverfill_ThoseWhoWaitAreSentAndNobodyIsRefused()
    {
        var flow = new FlowFixture(1, FlowFixture.Queue);
        flow.Route();
        flow.Wait();
        flow.Wait();

        flow.State.Reconfigure(flow.Config with { FlowControl = new FlowControlSettings() });

        Assert.Equal([RouteKind.Send, RouteKind.Send], flow.Decided().Select(d => d.Decision.Kind));
        Assert.Equal(DecisionReason.Overfill, flow.Route().Reason);
    }

    [Fact]
    public void Route_AtTheQueuesEnd_RetryAfterFollowsTheDrainRate()
    {
        var flow = new FlowFixture(1, FlowFixture.Queue with { MaxWaitingRequests = 20 });
        var running = flow.Route();
        for (var i = 0; i < 20; i++) flow.Wait();

        // Nothing has ended yet: the longest. Then two end per second: 21 take 11 s.
        Assert.Equal(60, flow.Route().RetryAfter.TotalSeconds);
        for (var i = 0; i < 20; i++)
        {
            flow.Pool.Time.Advance(TimeSpan.FromSeconds(0.5));
            flow.Complete(running);
            running = flow.DecidedOne().Decision;
            flow.Wait();
        }

        var refused = flow.Route();
        Assert.Equal(DecisionReason.QueueFull, refused.Reason);
        Assert.InRange(refused.RetryAfter.TotalSeconds, 10, 12);
    }

    /// <summary>Endpoint 0 serves model a, endpoint 1 of another backend model b; one request at a time each.</summary>
    internal static FlowFixture TwoModels()
    {
        var flow = new FlowFixture(1, FlowFixture.Queue);
        var plain = PoolFixture.Config(2).Backends[0];
        var settings = new BackendSettings { Mode = BalancingMode.InFlight, MaxInFlightPerEndpoint = 1 };
        flow.State.Reconfigure(flow.Config with
        {
            Backends =
            [
                plain with { Endpoints = [plain.Endpoints[0]], Settings = settings },
                plain with { Id = new BackendId("gke-west", "z", 8000), Endpoints = [plain.Endpoints[1]], Settings = settings },
            ],
        });
        flow.State.ApplyHealth(PoolFixture.Id(1), Endpoints.EndpointHealth.Healthy);
        flow.Pool.Models(0, "a");
        flow.Pool.Models(1, "b");
        return flow;
    }
}
