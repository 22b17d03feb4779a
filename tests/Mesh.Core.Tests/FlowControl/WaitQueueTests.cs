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

        Assert.Same(urgent, queue.Head);
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
                var waiter = served ? queue.Head! : all[random.NextInt32(all.Count)];
                queue.Remove(waiter, served);
                all.Remove(waiter);
            }

            Assert.True(queue.Count == all.Count, $"seed {seed}, step {step}");
            if (all.Count == 0) continue;
            var head = queue.Head!;
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
        while (queue.Head is { } head)
        {
            queue.Remove(head, served: true);
            order.Add(head);
        }
        return order;
    }

    private Waiter Waiter(int priority = 0, string flow = "", double key = 0) => new()
    {
        Ticket = _ticket++,
        Request = new RouteRequest
        {
            RequestId = "r" + _ticket,
            Pool = new PoolId("default", "pool"),
            Session = new GatewaySession("gateway", 1),
            Priority = priority,
            FairnessId = flow,
        },
        EnqueuedAt = TimeSpan.Zero,
        Deadline = TimeSpan.FromSeconds(30),
        Key = key,
    };
}
