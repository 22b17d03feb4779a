using Mesh.Core.Config;
using Mesh.Core.FlowControl;
using Mesh.Core.Leases;
using Mesh.Core.Randomness;
using Mesh.Core.Routing;

namespace Mesh.Core.Tests.FlowControl;

public class WaitQueueTests
{
    private long _ticket;

    [Fact]
    public void Head_HigherPriorityArrivesLater_ComesFirst()
    {
        var queue = new WaitQueue();
        queue.Add(Waiter(priority: 0));
        var urgent = Waiter(priority: 10);
        queue.Add(urgent);

        Assert.Same(urgent, queue.StartPass());
    }

    [Fact]
    public void Serve_ThreeFlows_TakesTurns()
    {
        var queue = new WaitQueue();
        foreach (var flow in new[] { "a", "a", "a", "a", "b", "b", "c" }) queue.Add(Waiter(flow: flow));

        Assert.Equal("a b c a b a a", string.Join(' ', Drain(queue).Select(w => w.Request.FairnessId)));
    }

    [Fact]
    public void Serve_ByKeyThenTicket_WithinAFlow()
    {
        var queue = new WaitQueue();
        var late = Waiter(key: 5);
        var first = Waiter(key: 1);
        var second = Waiter(key: 1);
        queue.Add(late);
        queue.Add(first);
        queue.Add(second);

        Assert.Equal([first, second, late], Drain(queue));
    }

    [Fact]
    public void RuleOut_FirstFindsNoPlace_OthersOfItsModelAreNotAsked()
    {
        var queue = new WaitQueue();
        foreach (var flow in new[] { "a", "b", "c" })
        {
            for (var i = 0; i < 10; i++) queue.Add(Waiter(flow: flow, model: "full"));
        }
        var other = Waiter(flow: "b", model: "free");
        queue.Add(other);
        var low = Waiter(priority: -3, flow: "b", model: "third");
        queue.Add(low);

        var first = queue.StartPass()!;
        Assert.Equal("full", first.Request.Model);
        Assert.Same(other, queue.RuleOut(first));
        Assert.Same(low, queue.RuleOut(other));
        Assert.Null(queue.RuleOut(low));
        Assert.Same(first, queue.StartPass());
    }

    [Fact]
    public void RuleOut_OtherExclusions_AreAskedThoughOfTheSameFlow()
    {
        var queue = new WaitQueue();
        var first = Waiter(flow: "a", excluded: "e:1");
        queue.Add(first);
        queue.Add(Waiter(flow: "a", excluded: "e:1"));
        queue.Add(Waiter(flow: "b", excluded: "e:1"));
        var plain = Waiter(flow: "a");
        queue.Add(plain);
        var other = Waiter(flow: "b", excluded: "e:2");
        queue.Add(other);

        Assert.Same(first, queue.StartPass());
        Assert.Same(plain, queue.RuleOut(first));
        Assert.Same(other, queue.RuleOut(plain));
        Assert.Null(queue.RuleOut(other));
    }

    [Fact]
    public void Remove_ServedOutOfTurn_GoesToTheEndOfTheRound()
    {
        var queue = new WaitQueue();
        queue.Add(Waiter(flow: "stuck", model: "full"));
        for (var i = 0; i < 3; i++)
        {
            queue.Add(Waiter(flow: "b", model: "free"));
            queue.Add(Waiter(flow: "c", model: "free"));
        }

        var order = new List<string>();
        for (var i = 0; i < 6; i++)
        {
            var served = queue.RuleOut(queue.StartPass()!)!;
            order.Add(served.Request.FairnessId);
            queue.Remove(served, served: true);
        }

        Assert.Equal(["b", "c", "b", "c", "b", "c"], order);
        Assert.Equal("stuck", queue.StartPass()!.Request.FairnessId);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void RandomOperations_AgainstAPlainList_NeverDiffer(ulong seed)
    {
        var random = new Xoshiro256(seed);
        var queue = new WaitQueue();
        var all = new List<Waiter>();
        for (var step = 0; step < 5000; step++)
        {
            if (all.Count == 0 || random.NextInt32(5) < 3)
            {
                var waiter = Waiter(random.NextInt32(3), "f" + random.NextInt32(4), random.NextInt32(10));
                queue.Add(waiter);
                all.Add(waiter);
            }
            else
            {
                var served = random.NextInt32(2) == 0;
                var waiter = served ? queue.StartPass()! : all[random.NextInt32(all.Count)];
                queue.Remove(waiter, served);
                all.Remove(waiter);
            }

            Assert.True(queue.Count == all.Count, $"seed {seed}, step {step}");
            if (all.Count == 0) continue;
            var head = queue.StartPass()!;
            Assert.True(head.Request.Priority == all.Max(w => w.Request.Priority), $"seed {seed}, step {step}: a lower band was served");
            var flow = all.Where(w => w.Request.Priority == head.Request.Priority && w.Request.FairnessId == head.Request.FairnessId);
            Assert.True(ReferenceEquals(head, flow.OrderBy(w => w.Key).ThenBy(w => w.Ticket).First()), $"seed {seed}, step {step}: not the flow's first");
        }
    }

    [Fact]
    public void Serve_OneFlowFloods_AnotherGetsEverySecondPlace()
    {
        var queue = new WaitQueue();
        for (var i = 0; i < 1000; i++) queue.Add(Waiter(flow: "flood"));
        for (var i = 0; i < 10; i++) queue.Add(Waiter(flow: "small"));

        var first = Drain(queue).Take(20).Count(w => w.Request.FairnessId == "small");

        Assert.Equal(10, first);
    }

    private static List<Waiter> Drain(WaitQueue queue)
    {
        var order = new List<Waiter>();
        while (queue.StartPass() is { } head)
        {
            queue.Remove(head, served: true);
            order.Add(head);
        }
        return order;
    }

    private Waiter Waiter(int priority = 0, string flow = "", double key = 0, string? model = null, string? excluded = null) => new()
    {
        Ticket = _ticket++,
        Request = new RouteRequest
        {
            RequestId = "r" + _ticket,
            Pool = new PoolId("default", "pool"),
            Session = new GatewaySession("gateway", 1),
            Priority = priority,
            FairnessId = flow,
            Model = model,
            BodyBytes = 10,
            Excluded = excluded is null ? default : [new(excluded)],
        },
        EnqueuedAt = TimeSpan.Zero,
        Deadline = TimeSpan.FromSeconds(30),
        Key = key,
    };
}
