using System.Collections.Concurrent;
using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Leases;
using Mesh.Core.Routing;
using Mesh.Core.Snapshots;
using Mesh.Engine;
using Mesh.Engine.Scraping.Orca;

namespace Mesh.Gateway.Tests.Support;

/// <summary>An engine that hands out endpoints in turn and counts exactly. Refuses what a test tells it to refuse.</summary>
internal sealed class FakeEngine : IMeshEngine, IRouter
{
    private readonly Lock _gate = new();
    private readonly Dictionary<LeaseId, EndpointId> _leases = [];
    private readonly SortedDictionary<EndpointId, int> _inFlight = [];
    private MeshConfig _config;
    private int _turn;
    private long _sequence;

    public FakeEngine(MeshConfig config) => _config = config;

    public IRouter Router => this;

    public GatewaySession Session { get; } = new("gateway", 1);

    /// <summary>Refuses everything with this reason when set.</summary>
    public DecisionReason? RefuseWith { get; set; }

    public TimeSpan RetryAfter { get; set; }

    public EndpointHealth Health { get; set; } = EndpointHealth.Healthy;

    public ImmutableArray<string> Models { get; set; } = ["m1"];

    public ConcurrentQueue<RouteRequest> Requests { get; } = new();

    public ConcurrentQueue<(LeaseId Lease, EndpointId Endpoint, OutcomeKind Kind)> Outcomes { get; } = new();

    /// <summary>Outcomes as they were reported, with their tokens.</summary>
    public ConcurrentQueue<RequestOutcome> Reports { get; } = new();

    public ConcurrentQueue<LeaseId> FirstBytes { get; } = new();

    /// <summary>Completions of leases that were not out: a gateway must cause none.</summary>
    public int StrayCompletions { get; private set; }

    public int InFlight
    {
        get
        {
            lock (_gate) return _leases.Count;
        }
    }

    /// <summary>Runs before every placement, outside of the lock.</summary>
    public Func<RouteRequest, CancellationToken, Task>? BeforeRoute { get; set; }

    public async ValueTask<RouteDecision> RouteAsync(RouteRequest request, CancellationToken cancellationToken)
    {
        // The chain is pooled memory of the request's.
        Requests.Enqueue(request with { PrefixChain = request.PrefixChain.ToArray() });
        if (BeforeRoute is { } before) await before(request, cancellationToken);
        lock (_gate) return Route(request);
    }

    public void ReportFirstByte(PoolId pool, LeaseId lease) => FirstBytes.Enqueue(lease);

    public void Complete(PoolId pool, LeaseId lease, in RequestOutcome outcome)
    {
        lock (_gate)
        {
            if (!_leases.Remove(lease, out var endpoint))
            {
                StrayCompletions++;
                return;
            }

            _inFlight[endpoint]--;
            Reports.Enqueue(outcome);
            Outcomes.Enqueue((lease, endpoint, outcome.Kind));
        }
    }

    public void Reconfigure(MeshConfig config)
    {
        lock (_gate) _config = config;
    }

    public ImmutableArray<PoolSnapshot> Snapshot()
    {
        lock (_gate) return [.. _config.Pools.Select(Snapshot)];
    }

    /// <summary>Load reports that arrived.</summary>
    public ConcurrentQueue<(EndpointId Endpoint, OrcaReport Report)> LoadReports { get; } = new();

    public void ReportLoad(PoolId pool, EndpointId endpoint, in OrcaReport report) => LoadReports.Enqueue((endpoint, report));

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private RouteDecision Route(RouteRequest request)
    {
        if (RefuseWith is { } refuse) return RouteDecision.Refuse(refuse, RetryAfter);
        var pool = _config.Pools.FirstOrDefault(p => p.Id == request.Pool);
        if (pool is null) return RouteDecision.Refuse(DecisionReason.UnknownPool);
        var all = pool.Backends.SelectMany(b => b.Endpoints.Where(e => !e.Drained).Select(e => (Backend: b.Id, e.Id))).ToArray();
        if (all.Length == 0) return RouteDecision.Refuse(DecisionReason.NoEndpoints);
        var allowed = all
            .Where(e => request.Subset.IsDefault || request.Subset.Contains(e.Id))
            .Where(e => request.Excluded.IsDefault || !request.Excluded.Contains(e.Id))
            .ToArray();
        if (allowed.Length == 0) return RouteDecision.Refuse(request.Excluded.IsDefaultOrEmpty ? DecisionReason.NoReadyEndpoint : DecisionReason.AllAttemptsFailed);
        var chosen = allowed[_turn++ % allowed.Length];
        var lease = new LeaseId(1, ++_sequence);
        _leases.Add(lease, chosen.Id);
        _inFlight[chosen.Id] = _inFlight.GetValueOrDefault(chosen.Id) + 1;
        return RouteDecision.Send(chosen.Id, chosen.Backend, lease, DecisionReason.BestScore);
    }

    private PoolSnapshot Snapshot(PoolConfig pool) => new()
    {
        Id = pool.Id,
        Backends = [.. pool.Backends.Select(b => new BackendSnapshot
        {
            Id = b.Id,
            Region = b.Region,
            Endpoints = [.. b.Endpoints.Select(e => new EndpointSnapshot
            {
                Id = e.Id,
                PodName = e.PodName,
                Health = Health,
                Drained = e.Drained,
                InFlightRequests = _inFlight.GetValueOrDefault(e.Id),
                Models = Models,
            })],
        })],
    };
}
