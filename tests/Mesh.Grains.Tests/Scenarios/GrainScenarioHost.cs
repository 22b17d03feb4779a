using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Health;
using Mesh.Core.Leases;
using Mesh.Core.Routing;
using Mesh.Core.Snapshots;
using Mesh.Engine;
using Mesh.Grains.Contracts;
using Mesh.Grains.Gateways;
using Mesh.Grains.Snapshots;
using Mesh.Scenarios;

namespace Mesh.Grains.Tests;

/// <summary>
/// A gateway and the grains of three silos, on the player's clock: requests go over the wire and back, and after every step this waits until all that
/// has been decided has arrived.
/// </summary>
internal sealed class GrainScenarioHost : IScenarioHost
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly SortedDictionary<int, (Task<RouteDecision> Task, CancellationTokenSource Leave)> _waiting = [];
    private readonly Dictionary<EndpointId, HealthTracker> _health = [];
    private readonly MeshCluster _cluster;
    private readonly GrainEngine _gateway;
    private readonly PoolLink _link;
    private readonly IPoolGrain _pool;
    private PoolConfig _config;

    private GrainScenarioHost(PoolConfig config, MeshCluster cluster)
    {
        _config = config;
        _cluster = cluster;
        _gateway = cluster.AddGateway(o => o with { KeepsTime = false, FailStaticAfter = TimeSpan.FromHours(1) });
        _link = _gateway.Links.Links[config.Id].Links[0];
        _pool = cluster.Pool(config.Id);
        WaitFor(() =>
        {
            _gateway.Keep();
            Thread.Sleep(20);
            return _link.IsAnnounced;
        });
    }

    public GatewaySession Session => _gateway.Session;

    public static IScenarioHost Create(PoolConfig config, TimeProvider time, ulong seed, PoolStateOptions options)
    {
        var cluster = MeshCluster.StartAsync(
            ConfigOf(config), silos: 3, o => o with { KeepsTime = false, Seed = EngineSeed(seed, config.Id) }, time, new EngineOptions { Pool = options });
        return new GrainScenarioHost(config, cluster.GetAwaiter().GetResult());
    }

    public RouteDecision? Route(int number, in RouteRequest request)
    {
        var leave = new CancellationTokenSource();
        var decision = _gateway.Router.RouteAsync(request, leave.Token).AsTask();
        Arrive();
        // A call is off the list a moment before its answer is handed out.
        WaitFor(() => _waiting.Values.Count(w => !w.Task.IsCompleted) + (decision.IsCompleted ? 0 : 1) <= _link.OpenCalls);
        if (decision.IsCompleted)
        {
            leave.Dispose();
            return decision.GetAwaiter().GetResult();
        }

        _waiting.Add(number, (decision, leave));
        return null;
    }

    public void Cancel(int number)
    {
        _waiting.Remove(number, out var waiting);
        waiting.Leave.Cancel();
        Flush();
        waiting.Leave.Dispose();
        if (!waiting.Task.IsCanceled) throw new InvalidOperationException($"Request {number} was decided without a word.");
    }

    public void Complete(LeaseId lease, in RequestOutcome outcome)
    {
        _gateway.Router.Complete(_config.Id, lease, in outcome);
        Flush();
    }

    public void Apply(EndpointSample sample) =>
        Now(_pool.Learn(new EndpointNews { Endpoint = sample.Endpoint, Sample = sample, SampleAgeTicks = Ages.Of(sample.Timestamp, _cluster.Time) }));

    // The verdict is reached where the endpoint is looked after.
    public void Apply(ProbeResult probe)
    {
        var tracker = _health.GetValueOrDefault(probe.Endpoint);
        var before = tracker.Verdict;
        var after = tracker.Observe(probe.Success, _config.HealthCheck.HealthyThreshold, _config.HealthCheck.UnhealthyThreshold);
        _health[probe.Endpoint] = tracker;
        if (before != after) Now(_pool.Learn(new EndpointNews { Endpoint = probe.Endpoint, Health = after }));
    }

    public void ApplyModels(EndpointId endpoint, ImmutableArray<string> models) =>
        Now(_pool.Learn(new EndpointNews { Endpoint = endpoint, Models = [.. models] }));

    public void Reconfigure(PoolConfig config)
    {
        _config = config;
        _cluster.Configuration.Set(ConfigOf(config));
        _gateway.Reconfigure(ConfigOf(config));
        Now(_pool.Keep());
    }

    public TimeSpan? Tick()
    {
        _gateway.Keep();
        return Now(_pool.Tick());
    }

    public void TakeDecided(List<(int Number, RouteDecision Decision)> into)
    {
        if (_waiting.Count == 0) return;
        Arrive();
        WaitFor(() => _waiting.Values.Count(w => !w.Task.IsCompleted) <= _link.OpenCalls);
        foreach (var (number, (task, leave)) in _waiting.Where(w => w.Value.Task.IsCompleted).ToArray())
        {
            _waiting.Remove(number);
            leave.Dispose();
            into.Add((number, task.GetAwaiter().GetResult()));
        }
    }

    public PoolSnapshot Snapshot() => SnapshotClock.FromWire(SnapshotJson.ReadPool(Now(_pool.Snapshot())), _cluster.Time);

    public void Dispose()
    {
        _cluster.DisposeAsync().AsTask().GetAwaiter().GetResult();
        foreach (var (_, leave) in _waiting.Values) leave.Dispose();
    }

    private static MeshConfig ConfigOf(PoolConfig pool) => new() { Version = 1, Pools = [pool] };

    /// <summary>The engine's seed from which the pool's own comes out as the scenario wants it: the hash of the pool's name, backwards.</summary>
    private static ulong EngineSeed(ulong poolSeed, PoolId pool)
    {
        const ulong Prime = 1099511628211UL;
        var inverse = Prime;
        for (var i = 0; i < 6; i++) inverse *= 2 - Prime * inverse;
        var hash = poolSeed;
        foreach (var c in pool.ToString().Reverse()) hash = (hash * inverse) ^ c;
        var seed = hash ^ 14695981039346656037UL;
        Assert.Equal(poolSeed, PoolSeed.Of(seed, pool));
        return seed;
    }

    private static TAnswer Now<TAnswer>(ValueTask<TAnswer> call) => call.AsTask().WaitAsync(Patience).GetAwaiter().GetResult();

    private static void WaitFor(Func<bool> condition)
    {
        if (!SpinWait.SpinUntil(condition, Patience)) throw new TimeoutException("It did not happen.");
    }

    private void Flush()
    {
        if (!_link.FlushAsync(Patience).GetAwaiter().GetResult()) throw new TimeoutException("The pool was not told.");
    }

    // All have been looked at once as many calls are open here as wait there: none is on its way in either direction.
    private void Arrive()
    {
        if (_link.OpenCalls == 0) return;
        PoolStatus? status = null;
        for (var i = 0; i < 2000; i++)
        {
            status = Now(_pool.Keep());
            if (SpinWait.SpinUntil(() => _link.OpenCalls == status.WaitingCalls, TimeSpan.FromMilliseconds(i < 10 ? 1 : 20))) return;
            // On a busy machine a message may be given up; a sign of life, which changes nothing while time stands, sets it going again.
            if (i % 100 == 99) _gateway.Keep();
        }
        throw new TimeoutException($"{_link.OpenCalls} calls are open, {status}, announced: {_link.IsAnnounced}.");
    }
}
