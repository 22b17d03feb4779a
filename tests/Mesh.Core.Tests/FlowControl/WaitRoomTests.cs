using Mesh.Core.Config;
using Mesh.Core.FlowControl;
using Mesh.Core.Leases;
using Mesh.Core.Routing;

namespace Mesh.Core.Tests.FlowControl;

public class WaitRoomTests
{
    private readonly WaitRoom _room = new();

    [Fact]
    public void Last_IsTheNewestOfTheLowestPriorityWhereverItWaits()
    {
        Enter(priority: 1, "a");
        var older = Enter(priority: 1, "b");
        var newest = Enter(priority: 1, "a");
        Enter(priority: 3, "a");

        Assert.Same(newest, _room.Last);
        Assert.Equal((3, 30L), _room.Below(2));
        Assert.Equal((0, 0L), _room.Below(1));
        _room.Forget(newest);
        Assert.Same(older, _room.Last);
        Assert.Equal((2, 20L), _room.Below(2));
    }

    [Fact]
    public void Serve_WaiterUsedAgain_KeepsTheFirstDecision()
    {
        var first = Enter(priority: 0, "a");
        var ticket = first.Ticket;
        _room.Queue.Add(first);
        _room.Serve(first, RouteDecision.Refuse(DecisionReason.QueueTimeout));
        var second = Enter(priority: 0, "a");

        Assert.True(_room.TryTakeDecided(out var decided, out var decision));
        Assert.Equal((ticket, DecisionReason.QueueTimeout), (decided, decision.Reason));
        Assert.NotEqual(ticket, second.Ticket);
        Assert.False(_room.TryFind(ticket, out _));
    }

    private Waiter Enter(int priority, string flow) => _room.Add(
        new RouteRequest
        {
            RequestId = "r",
            Pool = new PoolId("default", "pool"),
            Session = new GatewaySession("gateway", 1),
            Priority = priority,
            FairnessId = flow,
            BodyBytes = 10,
        },
        TimeSpan.Zero,
        TimeSpan.FromSeconds(30));
}
