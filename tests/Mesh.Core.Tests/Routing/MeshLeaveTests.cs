using Mesh.Core.Endpoints;
using Mesh.Core.Routing;

namespace Mesh.Core.Tests.Routing;

/// <summary>Requests of the profile mesh that wait for one endpoint while another is free: who leaves for it, and who holds out.</summary>
public sealed class MeshLeaveTests
{
    // Some 226 ms of prompt work: the second one waits.
    private const int Large = 8000;

    [Fact]
    public void ReportFirstByte_AtAnotherEndpoint_TheHeadOfTheQueueGoesThere()
    {
        var pool = Pool(2);
        RouteDecision[] running = [Send(pool), Send(pool)];
        var waits = Wait(pool);
        var awaited = pool.Endpoint(0).WaitingRequests > 0 ? 0 : 1;

        pool.State.ReportFirstByte(running.Single(r => r.Endpoint == PoolFixture.Id(1 - awaited)).Lease);

        var (ticket, decision) = Assert.Single(pool.Decided());
        Assert.Equal((waits, PoolFixture.Id(1 - awaited)), (ticket, decision.Endpoint));
        Assert.Equal((0, 0.0), (pool.Endpoint(awaited).WaitingRequests, pool.Endpoint(awaited).WaitingPromptMs));
        Assert.Equal(3, pool.State.Snapshot().Backends[0].InFlightRequests);
    }

    [Fact]
    public void ApplyHealth_NewEndpointWantedByTwoQueues_HigherPriorityGoesFirst()
    {
        var pool = Pool(3, healthy: 2);
        Send(pool, 0);
        Send(pool, 1);
        var low = Wait(pool, priority: 0, 0, 2);
        var high = Wait(pool, priority: 5, 1, 2);
        Assert.Equal((1, 1), (pool.Endpoint(0).WaitingRequests, pool.Endpoint(1).WaitingRequests));

        pool.State.ApplyHealth(PoolFixture.Id(2), EndpointHealth.Healthy);
        pool.State.Tick();

        var (ticket, decision) = Assert.Single(pool.Decided());
        Assert.Equal((high, PoolFixture.Id(2)), (ticket, decision.Endpoint));
        Assert.True(pool.State.CancelWait(low));
    }

    [Fact]
    public void Tick_TheEndpointThatHoldsThePromptIsNearlyDone_HoldsOutForIt()
    {
        var pool = Pool(2);
        var chain = Enumerable.Range(1, 40).Select(b => (ulong)b).ToArray();
        var cached = pool.Route(Request(pool) with { PrefixChain = chain });
        pool.State.ReportFirstByte(cached.Lease);
        Assert.True(pool.Complete(cached));
        var busy = pool.Route(pool.Request(prompt: 2000, subset: [cached.Endpoint]) with { IsStreaming = true });
        Assert.Equal(RouteKind.Send, busy.Kind);

        // 50 ms of work before it and little of its own against 226 ms of its own.
        var follows = pool.Route(Request(pool) with { PrefixChain = chain });

        Assert.Equal(RouteKind.Wait, follows.Kind);
        pool.State.Tick();
        Assert.Empty(pool.Decided());
        pool.State.ReportFirstByte(busy.Lease);
        Assert.Equal(cached.Endpoint, Assert.Single(pool.Decided()).Decision.Endpoint);
    }

    [Fact]
    public void Route_LongQueueForTheFastEndpoint_TheIdleSlowOneTakesSome()
    {
        var world = new MeshWorld([1, 3], TimeSpan.FromSeconds(1));
        for (var i = 0; i < 400; i++)
        {
            world.Run(i * TimeSpan.TicksPerMillisecond * 170);
            world.Arrive(Large);
        }
        world.Run(TimeSpan.TicksPerMinute * 10, untilNobodyWaits: true);

        // 226 ms of work every 170 ms: the fast one alone would fall ever further behind.
        Assert.InRange(world.SentTo[1], 60, 160);
        Assert.True(world.FirstTokens[^1].Ms < 5000, $"The last one waited {world.FirstTokens[^1].Ms:f0} ms.");
    }

    private static PoolFixture Pool(int endpoints, int? healthy = null)
    {
        var pool = new PoolFixture(MeshWorld.Config(endpoints), healthy: healthy is null);
        for (var i = 0; i < healthy; i++) pool.State.ApplyHealth(PoolFixture.Id(i), EndpointHealth.Healthy);
        return pool;
    }

    private static RouteRequest Request(PoolFixture pool, int priority = 0, params int[] subset) =>
        pool.Request(prompt: Large, subset: subset.Length == 0 ? null : [.. subset.Select(PoolFixture.Id)]) with { IsStreaming = true, Priority = priority };

    private static RouteDecision Send(PoolFixture pool, params int[] subset)
    {
        var decision = pool.Route(Request(pool, 0, subset));
        Assert.Equal(RouteKind.Send, decision.Kind);
        return decision;
    }

    private static long Wait(PoolFixture pool, int priority = 0, params int[] subset)
    {
        var decision = pool.Route(Request(pool, priority, subset));
        Assert.Equal(RouteKind.Wait, decision.Kind);
        return decision.Ticket;
    }
}
