using Mesh.Core.Config;
using Mesh.Core.FlowControl;
using Mesh.Core.Leases;
using Mesh.Core.Routing;
using Mesh.Core.Snapshots;
using Mesh.Engine;

namespace Mesh.Grains.Tests;

/// <summary>What a gateway may rely on, whatever stands behind <see cref="IRouter"/>: run against the engine in this process and against a cluster.</summary>
public abstract class RouterContractTests : IAsyncLifetime
{
    protected static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private SimulatedEndpoints _endpoints = null!;
    private IMeshEngine _engine = null!;

    private static PoolId Pool => SimulatedEndpoints.PoolId;

    public async Task InitializeAsync()
    {
        _endpoints = await SimulatedEndpoints.StartAsync(2);
        _engine = await StartAsync(_endpoints.Config());
        await ReconfigureAsync(_endpoints.Config());
    }

    public async Task DisposeAsync()
    {
        await StopAsync();
        await _endpoints.DisposeAsync();
    }

    [Fact]
    public async Task Route_EndpointsHealthy_SendsAndReserves()
    {
        var decision = await RouteAsync();

        Assert.Equal(RouteKind.Send, decision.Kind);
        Assert.Contains(decision.Endpoint, _endpoints.Ids);
        Assert.Equal(new BackendId("gke-west", "a", 8000), decision.Backend);
        await Eventually.HoldsAsync(async () => (await SnapshotAsync()).Leases == 1, "one lease");
        Complete(decision);
        await Eventually.HoldsAsync(async () => (await SnapshotAsync()).Leases == 0, "no lease");
    }

    [Fact]
    public async Task Route_UnknownPool_Refuses()
    {
        var decision = await _engine.Router.RouteAsync(Request() with { Pool = new PoolId("default", "none") }, default);

        Assert.Equal(RouteDecision.Refuse(DecisionReason.UnknownPool), decision);
    }

    [Fact]
    public async Task Route_Burst_SpreadsOverTheEndpoints()
    {
        var decisions = new List<RouteDecision>();
        for (var i = 0; i < 20; i++) decisions.Add(await RouteAsync());

        foreach (var endpoint in _endpoints.Ids) Assert.InRange(decisions.Count(d => d.Endpoint == endpoint), LeastOfTwenty, 20 - LeastOfTwenty);
        foreach (var decision in decisions) Complete(decision);
        await Eventually.HoldsAsync(async () => (await SnapshotAsync()).Leases == 0, "no lease");
    }

    [Fact]
    public async Task Route_SubsetAndExcluded_AreKept()
    {
        var first = _endpoints.Ids[0];
        var second = _endpoints.Ids[1];

        Assert.Equal(first, (await RouteAsync(Request() with { Subset = [first] })).Endpoint);
        Assert.Equal(second, (await RouteAsync(Request() with { Excluded = [first] })).Endpoint);
        Assert.Equal(DecisionReason.AllAttemptsFailed, (await RouteAsync(Request() with { Excluded = [first, second] })).Reason);
    }

    [Fact]
    public async Task Route_UnknownModel_Refuses()
    {
        await Eventually.HoldsAsync(
            async () => (await SnapshotAsync()).Backends[0].Endpoints.All(e => !e.Models.IsDefaultOrEmpty), "every endpoint's models are known");

        Assert.Equal(DecisionReason.UnknownModel, (await RouteAsync(Request() with { Model = "nobody-has-it" })).Reason);
    }

    [Fact]
    public async Task Route_PoolFull_WaitsUntilAPlaceIsFree()
    {
        await ReconfigureAsync(_endpoints.Config(inFlight: 1, version: 2));
        var running = new[] { await RouteAsync(), await RouteAsync() };
        var waiting = StartRoute();
        await Eventually.HoldsAsync(async () => Waiting(await SnapshotAsync()) == 1, "one waits");
        Assert.False(waiting.IsCompleted);

        Complete(running[0]);

        var decision = await waiting.WaitAsync(Deadline);
        // Two that were placed on one endpoint leave the other free, too: that one's share may still be rising where it has come to another shard.
        var free = running[0].Endpoint == running[1].Endpoint ? _endpoints.Ids : [running[0].Endpoint];
        Assert.Contains(decision.Endpoint, free);
        Complete(running[1]);
        Complete(decision);
        await Eventually.HoldsAsync(async () => (await SnapshotAsync()).Leases == 0, "no lease");
    }

    [Fact]
    public async Task Route_CancelledWhileItWaits_FreesItsPlace()
    {
        await ReconfigureAsync(_endpoints.Config(1, new FlowControlSettings { WhenFull = WhenFull.Queue, MaxWaitingRequests = 1 }, version: 2));
        var running = new[] { await RouteAsync(), await RouteAsync() };
        using var leaves = new CancellationTokenSource();
        var waiting = StartRoute(cancellationToken: leaves.Token);
        await Eventually.HoldsAsync(async () => Waiting(await SnapshotAsync()) == 1, "one waits");

        await leaves.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.WaitAsync(Deadline));
        await Eventually.HoldsAsync(async () => Waiting(await SnapshotAsync()) == 0, "nobody waits");
        foreach (var decision in running) Complete(decision);
        await Eventually.HoldsAsync(async () => (await SnapshotAsync()).Leases == 0, "no lease");
    }

    [Fact]
    public async Task Route_QueueFull_RefusesAndSaysWhenToComeBack()
    {
        await ReconfigureAsync(_endpoints.Config(1, new FlowControlSettings { WhenFull = WhenFull.Queue, MaxWaitingRequests = 1 }, version: 2));
        await RouteAsync();
        await RouteAsync();
        var refused = new List<RouteDecision>();
        var waiting = new List<Task<RouteDecision>>();
        for (var i = 0; i <= 2 * QueuesOf(1); i++)
        {
            var asked = StartRoute();
            await Eventually.HoldsAsync(async () => asked.IsCompleted || Waiting(await SnapshotAsync()) == waiting.Count + 1, "it waits or is refused");
            if (asked.IsCompleted) refused.Add(await asked);
            else waiting.Add(asked);
        }

        Assert.InRange(waiting.Count, 1, QueuesOf(1));
        Assert.All(refused, r => Assert.Equal(DecisionReason.QueueFull, r.Reason));
        Assert.All(refused, r => Assert.True(r.RetryAfter >= TimeSpan.FromSeconds(1)));
        Assert.All(waiting, w => Assert.False(w.IsCompleted));
    }

    [Fact]
    public async Task Route_WaitTooLong_TimesOut()
    {
        await ReconfigureAsync(_endpoints.Config(
            1, new FlowControlSettings { WhenFull = WhenFull.Queue, MaxWait = TimeSpan.FromMilliseconds(600) }, version: 2));
        await RouteAsync();
        await RouteAsync();

        Assert.Equal(DecisionReason.QueueTimeout, (await StartRoute().WaitAsync(Deadline)).Reason);
    }

    [Fact]
    public async Task Complete_TwiceOrUnknown_HasNoEffect()
    {
        var first = await RouteAsync();
        var second = await RouteAsync();

        Complete(first);
        Complete(first);
        _engine.Router.Complete(Pool, new LeaseId(7, 7), new RequestOutcome(OutcomeKind.Success));

        await Eventually.HoldsAsync(async () => (await SnapshotAsync()).Leases == 1, "one lease");
        Complete(second);
        await Eventually.HoldsAsync(async () => (await SnapshotAsync()).Leases == 0, "no lease");
    }

    [Fact]
    public async Task ReportFirstByte_Streamed_EndsThePrompt()
    {
        var decision = await RouteAsync(Request() with { IsStreaming = true, PromptTokens = 100 });
        await Eventually.HoldsAsync(async () => (await SnapshotAsync()).Backends[0].Endpoints.Sum(e => e.InFlightPrefillTokens) == 100, "the prompt counts");

        _engine.Router.ReportFirstByte(Pool, decision.Lease);

        await Eventually.HoldsAsync(async () => (await SnapshotAsync()).Backends[0].Endpoints.Sum(e => e.InFlightPrefillTokens) == 0, "it counts no more");
        Complete(decision);
    }

    [Fact]
    public async Task Route_Explained_TheDecisionCanBeRead()
    {
        await RouteAsync(Request() with { RequestId = "why", Explain = true });

        var decision = Assert.Single(_engine.Decisions(Pool, "why", 10));

        Assert.Equal(RouteKind.Send, decision.Kind);
        Assert.InRange(decision.CandidateCount, FewestCandidates, 2);
        Assert.Empty(_engine.Decisions(Pool, "other", 10));
    }

    [Fact]
    public async Task Reconfigure_PoolRemoved_WaitingRequestsAreRefused()
    {
        await ReconfigureAsync(_endpoints.Config(inFlight: 1, version: 2));
        await RouteAsync();
        await RouteAsync();
        var waiting = StartRoute();
        await Eventually.HoldsAsync(async () => Waiting(await SnapshotAsync()) == 1, "one waits");

        Reconfigure(MeshConfig.Empty);

        Assert.Equal(DecisionReason.UnknownPool, (await waiting.WaitAsync(Deadline)).Reason);
    }

    [Fact]
    public async Task ManyCallers_RouteCompleteAndCancel_EveryCallEndsAndNothingStays()
    {
        await ReconfigureAsync(_endpoints.Config(
            2, new FlowControlSettings { WhenFull = WhenFull.Queue, MaxWaitingRequests = 12, MaxWait = TimeSpan.FromMilliseconds(300) }, version: 2));
        var ended = 0;
        var callers = Enumerable.Range(0, 16).Select(caller => Task.Run(async () =>
        {
            var random = new Core.Randomness.Xoshiro256((ulong)caller + 1);
            for (var i = 0; i < 60; i++)
            {
                using var leaves = new CancellationTokenSource();
                var call = _engine.Router.RouteAsync(Request() with { Priority = random.NextInt32(3) - 1 }, leaves.Token);
                if (random.NextInt32(3) == 0) await leaves.CancelAsync();
                try
                {
                    var decision = await call;
                    if (decision.Kind == RouteKind.Send)
                    {
                        if (random.NextInt32(2) == 0) await Task.Yield();
                        Complete(decision);
                    }
                }
                catch (OperationCanceledException)
                {
                    // The client left.
                }
                Interlocked.Increment(ref ended);
            }
        })).ToArray();

        await Task.WhenAll(callers).WaitAsync(Deadline * 2);

        Assert.Equal(16 * 60, ended);
        PoolSnapshot? last = null;
        await Eventually.HoldsAsync(
            async () => (last = await SnapshotAsync()) is { Leases: 0, Queue.IsEmpty: true } snapshot && snapshot.Backends.Sum(b => b.InFlightRequests) == 0,
            () => $"nothing stays: {last?.Leases} leases, {last?.Queue.Sum(b => b.Requests)} wait, {last?.Backends.Sum(b => b.InFlightRequests)} in flight; {string.Join(", ", last?.Shards.AsEnumerable() ?? [])}");
    }

    /// <summary>Of twenty requests, how many each of two endpoints gets at least.</summary>
    protected virtual int LeastOfTwenty => 8;

    /// <summary>Endpoints that a decision is made among, at least.</summary>
    protected virtual int FewestCandidates => 2;

    /// <summary>Requests that may wait where the pool's configuration says so many, at least one in each of its parts.</summary>
    protected virtual int QueuesOf(int places) => places;

    /// <summary>An engine with a configuration.</summary>
    protected abstract Task<IMeshEngine> StartAsync(MeshConfig config);

    protected abstract Task StopAsync();

    /// <summary>Puts another configuration in force.</summary>
    protected abstract void Reconfigure(MeshConfig config);

    /// <summary>The pool as whoever decides sees it now.</summary>
    protected abstract Task<PoolSnapshot> SnapshotAsync();

    private static int Waiting(PoolSnapshot snapshot) => snapshot.Queue.Sum(b => b.Requests);

    private async Task ReconfigureAsync(MeshConfig config)
    {
        Reconfigure(config);
        var limit = config.Pools[0].Backends[0].Settings.MaxInFlightPerEndpoint;
        await Eventually.HoldsAsync(
            async () => await SnapshotAsync() is { Backends: [{ HealthyEndpoints: 2 } backend] } && backend.Settings.MaxInFlightPerEndpoint == limit,
            "both endpoints are healthy");
    }

    private RouteRequest Request() => new()
    {
        RequestId = "r",
        Pool = Pool,
        Session = _engine.Session,
        FairnessId = "",
        PromptTokens = 10,
        MaxOutputTokens = 10,
    };

    private async Task<RouteDecision> RouteAsync(RouteRequest? request = null) => await StartRoute(request).WaitAsync(Deadline);

    private Task<RouteDecision> StartRoute(RouteRequest? request = null, CancellationToken cancellationToken = default) =>
        _engine.Router.RouteAsync(request ?? Request(), cancellationToken).AsTask();

    private void Complete(RouteDecision decision) => _engine.Router.Complete(Pool, decision.Lease, new RequestOutcome(OutcomeKind.Success));
}
