using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Health;
using Mesh.Core.Leases;
using Mesh.Core.Routing;
using Mesh.Core.Snapshots;
using Mesh.Engine;
using Mesh.Engine.Monitoring;

namespace Mesh.Scenarios;

/// <summary>
/// The embedded engine's router over one pool, without its sockets: requests are asynchronous calls, decided when their task is. A decision
/// takes a thread of the pool to arrive, so this waits until every answer that the pool has given out has.
/// </summary>
internal sealed class EmbeddedRouterHost : IScenarioHost
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly SortedDictionary<int, (Task<RouteDecision> Task, CancellationTokenSource Leave)> _waiting = [];
    private readonly EmbeddedRouter _router = new();
    private readonly PoolHost _pool;
    private readonly PoolId _id;

    private EmbeddedRouterHost(PoolConfig config, TimeProvider time, ulong seed, PoolStateOptions options)
    {
        _id = config.Id;
        _pool = new PoolHost(new PoolState(config, time, seed, options), static () => { });
        _router.Pools = new Dictionary<PoolId, PoolHost> { [_id] = _pool }.ToFrozenDictionary();
    }

    public GatewaySession Session { get; } = new("scenario", 1);

    public static IScenarioHost Create(PoolConfig config, TimeProvider time, ulong seed, PoolStateOptions options) =>
        new EmbeddedRouterHost(config, time, seed, options);

    [SuppressMessage("Reliability", "CA2012", Justification = "The task of a request that waits is kept.")]
    public RouteDecision? Route(int number, in RouteRequest request)
    {
        var leave = new CancellationTokenSource();
        var decision = _router.RouteAsync(request, leave.Token);
        if (decision.IsCompleted)
        {
            leave.Dispose();
            return decision.Result;
        }

        _waiting.Add(number, (decision.AsTask(), leave));
        return null;
    }

    public void Cancel(int number)
    {
        _waiting.Remove(number, out var waiting);
        waiting.Leave.Cancel();
        ((IAsyncResult)waiting.Task).AsyncWaitHandle.WaitOne(Patience);
        waiting.Leave.Dispose();
        if (!waiting.Task.IsCanceled) throw new InvalidOperationException($"Request {number} was decided without a word.");
    }

    public void Complete(LeaseId lease, in RequestOutcome outcome) => _router.Complete(_id, lease, in outcome);

    public void Apply(EndpointSample sample) => _pool.Sampled(sample);

    public void Apply(ProbeResult probe) => _pool.Probed(probe);

    public void ApplyModels(EndpointId endpoint, ImmutableArray<string> models) => _pool.Listed(endpoint, models);

    public void Reconfigure(PoolConfig config) => _pool.Reconfigure(config, FrozenDictionary<EndpointId, EndpointMonitor>.Empty);

    public TimeSpan? Tick() => _pool.Keep(Session);

    public void TakeDecided(List<(int Number, RouteDecision Decision)> into)
    {
        if (_waiting.Count == 0) return;
        var stillWaiting = _pool.Snapshot().Queue.Sum(b => b.Requests);
        if (!SpinWait.SpinUntil(() => _waiting.Values.Count(w => !w.Task.IsCompleted) <= stillWaiting, Patience))
            throw new TimeoutException("A decision did not arrive.");
        foreach (var (number, (task, leave)) in _waiting.Where(w => w.Value.Task.IsCompleted).ToArray())
        {
            _waiting.Remove(number);
            leave.Dispose();
            into.Add((number, task.GetAwaiter().GetResult()));
        }
    }

    public PoolSnapshot Snapshot() => _pool.Snapshot();

    public void Dispose()
    {
        _pool.Close();
        foreach (var (_, leave) in _waiting.Values) leave.Dispose();
    }
}
