using Mesh.Core.Endpoints;
using Mesh.Core.Leases;
using Mesh.Core.Routing;

namespace Mesh.Core.Tests.Routing;

/// <summary>Requests that wait for an endpoint of the profile mesh: who is next, who leaves, and what becomes of them when it goes.</summary>
public sealed class MeshWaitTests
{
    // 8,000 tokens are some 226 ms of prompt work: the second one waits.
    private const int Large = 8000;

    [Fact]
    public void Route_EndpointBusy_WaitsUntilItIsNearlyReady()
    {
        var pool = Pool(1);
        var first = Send(pool);
        var ticket = Wait(pool);
        var busyMs = pool.Endpoint(0).PredictedWaitMs;
        Assert.InRange(busyMs, 200, 260);
        Assert.Equal((1, busyMs), (pool.Endpoint(0).WaitingRequests, pool.Endpoint(0).WaitingPromptMs));

        var next = pool.State.Tick()!.Value;
        Assert.Equal(busyMs - 50, next.TotalMilliseconds, 0.001);
        pool.Time.Advance(next - TimeSpan.FromMilliseconds(1));
        pool.State.Tick();
        Assert.Empty(pool.Decided());
        pool.Time.Advance(TimeSpan.FromMilliseconds(1.01));
        pool.State.Tick();

        var (decided, decision) = Assert.Single(pool.Decided());
        Assert.Equal((ticket, RouteKind.Send), (decided, decision.Kind));
        Assert.Equal((0, 0.0), (pool.Endpoint(0).WaitingRequests, pool.Endpoint(0).WaitingPromptMs));
        Assert.NotEqual(first.Lease, decision.Lease);
    }

    [Fact]
    public void ReportFirstByte_HigherPriorityWaits_IsServedFirst()
    {
        var pool = Pool(1);
        var running = Send(pool);
        var low = Wait(pool);
        var high = Wait(pool, priority: 5);

        pool.State.ReportFirstByte(running.Lease);

        var (first, decision) = Assert.Single(pool.Decided());
        Assert.Equal(high, first);
        pool.State.ReportFirstByte(decision.Lease);
        Assert.Equal(low, Assert.Single(pool.Decided()).Ticket);
    }

    [Fact]
    public void CancelWait_WaitsForAnEndpoint_ItsPlaceIsFree()
    {
        var pool = Pool(1);
        var running = Send(pool);
        var left = Wait(pool);
        var stays = Wait(pool);

        Assert.True(pool.State.CancelWait(left));
        Assert.False(pool.State.CancelWait(left));

        var endpoint = pool.Endpoint(0);
        Assert.Equal(1, endpoint.WaitingRequests);
        Assert.InRange(endpoint.WaitingPromptMs, 200, 260);
        Assert.Equal(2, pool.State.Snapshot().Backends[0].InFlightRequests);
        pool.State.ReportFirstByte(running.Lease);
        Assert.Equal(stays, Assert.Single(pool.Decided()).Ticket);
    }

    [Fact]
    public void CancelWait_TheLast_NothingIsLeftBehind()
    {
        var pool = Pool(1);
        Send(pool);
        pool.State.CancelWait(Wait(pool));

        Assert.Equal((0, 0.0), (pool.Endpoint(0).WaitingRequests, pool.Endpoint(0).WaitingPromptMs));
        Assert.False(pool.State.WaitsForTime);
    }

    [Fact]
    public void ApplyHealth_EndpointDies_ItsWaitersArePlacedAnew()
    {
        var pool = Pool(2);
        for (var i = 0; i < 2; i++) Send(pool);
        long[] tickets = [Wait(pool), Wait(pool), Wait(pool), Wait(pool)];
        var (dies, lives) = pool.Endpoint(0).WaitingRequests > 0 ? (0, 1) : (1, 0);

        pool.State.ApplyHealth(PoolFixture.Id(dies), EndpointHealth.Unhealthy);

        Assert.Equal((0, 4), (pool.Endpoint(dies).WaitingRequests, pool.Endpoint(lives).WaitingRequests));
        Assert.Equal(0, pool.Endpoint(dies).WaitingPromptMs);
        pool.State.ApplyHealth(PoolFixture.Id(lives), EndpointHealth.Unhealthy);
        var refused = pool.Decided();
        Assert.Equal(tickets, refused.Select(r => r.Ticket).Order());
        Assert.All(refused, r => Assert.Equal((RouteKind.Refuse, DecisionReason.NoReadyEndpoint), (r.Decision.Kind, r.Decision.Reason)));
        Assert.Equal(2, pool.State.Snapshot().Leases);
    }

    [Fact]
    public void ApplyHealth_EndpointDiesWhileAllLeasesAreOut_ItsWaiterWaitsForOne()
    {
        var pool = new PoolFixture(MeshWorld.Config(2), options: new PoolStateOptions { MaxLeases = 2 }, healthy: false);
        pool.State.ApplyHealth(PoolFixture.Id(0), EndpointHealth.Healthy);
        // What the first endpoint holds keeps the waiter there when the other one comes.
        var chain = Enumerable.Range(1, 40).Select(b => (ulong)b).ToArray();
        var cached = pool.Route(Request(pool) with { PrefixChain = chain });
        pool.State.ReportFirstByte(cached.Lease);
        Assert.True(pool.Complete(cached));
        var first = pool.Route(pool.Request(prompt: 4000) with { IsStreaming = true });
        var waits = pool.Route(Request(pool) with { PrefixChain = chain });
        Assert.Equal((RouteKind.Send, RouteKind.Wait), (first.Kind, waits.Kind));
        var ticket = waits.Ticket;
        pool.State.ApplyHealth(PoolFixture.Id(1), EndpointHealth.Healthy);
        Assert.Equal(RouteKind.Send, pool.Route(pool.Request(prompt: 10) with { IsStreaming = true }).Kind);

        pool.State.ApplyHealth(PoolFixture.Id(0), EndpointHealth.Unhealthy);

        Assert.Empty(pool.Decided());
        Assert.Equal((1, 1), (pool.Endpoint(1).InFlightRequests, pool.Endpoint(1).WaitingRequests));
        pool.Complete(first);
        var (decided, decision) = Assert.Single(pool.Decided());
        Assert.Equal((ticket, RouteKind.Send, PoolFixture.Id(1)), (decided, decision.Kind, decision.Endpoint));
        Assert.Equal(2, pool.State.Snapshot().Leases);
        Assert.True(pool.Complete(decision));
    }

    [Fact]
    public void Reconfigure_EndpointRemoved_ItsWaitersArePlacedAnew()
    {
        var pool = Pool(2);
        for (var i = 0; i < 2; i++) Send(pool);
        for (var i = 0; i < 4; i++) Wait(pool);

        pool.State.Reconfigure(MeshWorld.Config(1));

        Assert.Equal((0, 4), (pool.Endpoint(1).WaitingRequests, pool.Endpoint(0).WaitingRequests));
        Assert.True(pool.Endpoint(1).Draining);
        Assert.Equal(5, pool.State.Snapshot().Backends[0].InFlightRequests);
        Assert.Empty(pool.Decided());
    }

    [Fact]
    public void Tick_RequestTimeoutWhileItsEndpointNoLongerServesTheModel_IsRefused()
    {
        var pool = Pool(1);
        pool.Models(0, "a");
        pool.Route(Request(pool) with { Model = "a" });
        var waits = pool.Route(Request(pool) with { Model = "a", PromptTokens = 200_000 });
        Assert.Equal(RouteKind.Wait, waits.Kind);
        pool.Models(0, "b");
        pool.Time.Advance(TimeSpan.FromMinutes(5));
        pool.State.Heartbeat(PoolFixture.Session);

        pool.State.Tick();

        var (ticket, decision) = Assert.Single(pool.Decided());
        Assert.Equal((waits.Ticket, RouteKind.Refuse), (ticket, decision.Kind));
    }

    [Theory]
    [InlineData(600)]
    [InlineData(Large)]
    public void RouteFirstByteComplete_SteadyStateWithPrefixChains_AllocatesNothing(int promptTokens)
    {
        var pool = new PoolFixture(MeshWorld.Config(16));
        var requests = new RouteRequest[32];
        for (var i = 0; i < requests.Length; i++)
        {
            // Half of each prompt is shared by all.
            var chain = Enumerable.Range(0, 24).Select(b => b < 12 ? (ulong)b + 1 : (ulong)(i * 1000 + b)).ToArray();
            requests[i] = Request(pool) with { PromptTokens = promptTokens, PrefixChain = chain };
        }
        var running = new Queue<LeaseId>(64);
        for (var i = 0; i < 200; i++) Round(pool, requests, running);

        // The runtime may compile a method anew, and allocate for that, at any moment: a request that allocates does so in every batch.
        var least = long.MaxValue;
        for (var batch = 0; batch < 4; batch++)
        {
            var allocated = 0L;
            for (var i = 0; i < 50; i++) allocated += Round(pool, requests, running);
            least = Math.Min(least, allocated);
        }

        Assert.Equal(0, least);
        Assert.Equal((0, 6400L * 2), (pool.State.Snapshot().Leases, pool.Endpoints().Sum(e => e.TotalRequests)));
    }

    // Bytes that the pool allocated; moving the clock, which does too, comes before.
    private static long Round(PoolFixture pool, RouteRequest[] requests, Queue<LeaseId> running)
    {
        var outcome = new RequestOutcome(OutcomeKind.Success);
        var left = requests.Length;
        pool.Time.Advance(TimeSpan.FromMilliseconds(500));
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < requests.Length; i++)
        {
            var decision = pool.State.Route(in requests[i]);
            if (decision.Kind == RouteKind.Send) running.Enqueue(decision.Lease);
        }
        while (left > 0)
        {
            pool.State.Tick();
            while (pool.State.TryTakeDecided(out _, out var decision)) running.Enqueue(decision.Lease);
            for (var i = running.Count; i > 0; i--)
            {
                var lease = running.Dequeue();
                pool.State.ReportFirstByte(lease);
                if (!pool.State.Complete(lease, in outcome)) throw new InvalidOperationException("A lease was lost.");
                left--;
            }
        }
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private static PoolFixture Pool(int endpoints) => new(MeshWorld.Config(endpoints));

    private static RouteRequest Request(PoolFixture pool, int priority = 0) => pool.Request(prompt: Large) with { IsStreaming = true, Priority = priority };

    private static RouteDecision Send(PoolFixture pool)
    {
        var decision = pool.Route(Request(pool));
        Assert.Equal(RouteKind.Send, decision.Kind);
        return decision;
    }

    private static long Wait(PoolFixture pool, int priority = 0)
    {
        var decision = pool.Route(Request(pool, priority));
        Assert.Equal(RouteKind.Wait, decision.Kind);
        return decision.Ticket;
    }
}
