using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Health;
using Mesh.Core.Leases;
using Mesh.Core.Routing;
using Mesh.Core.Snapshots;
using Mesh.Testing;

namespace Mesh.Core.Tests;

/// <summary>A pool on a clock that stands still, and short names for what tests do to it.</summary>
internal sealed class PoolFixture
{
    public static readonly PoolId PoolName = new("default", "pool");
    public static readonly GatewaySession Session = new("gateway", 1);
    private int _requests;

    public PoolFixture(PoolConfig config, ulong seed = 1, PoolStateOptions? options = null, bool healthy = true)
    {
        State = new PoolState(config, Time, seed, options);
        if (!healthy) return;
        foreach (var endpoint in config.Backends.SelectMany(b => b.Endpoints)) State.ApplyHealth(endpoint.Id, EndpointHealth.Healthy);
    }

    public PoolFixture(int endpoints, ulong seed = 1, PoolStateOptions? options = null, bool healthy = true)
        : this(Config(endpoints), seed, options, healthy)
    {
    }

    public ManualTimeProvider Time { get; } = new();

    public PoolState State { get; }

    public static EndpointId Id(int number) => new($"10.0.{number / 250}.{number % 250 + 1}:8000");

    public static PoolConfig Config(int endpoints) => Config(Enumerable.Range(0, endpoints));

    public static PoolConfig Config(IEnumerable<int> endpoints) => new()
    {
        Id = PoolName,
        Scheduling = new SchedulingConfig { Profile = "least-load" },
        Backends =
        [
            new BackendConfig
            {
                Id = new BackendId("gke-west", "europe-west3-c", 8000),
                Region = "europe-west3",
                Endpoints = [.. endpoints.Select(e => new EndpointConfig { Id = Id(e), PodName = $"pod-{e}" })],
            },
        ],
    };

    public RouteRequest Request(
        string? model = null, int prompt = 100, int output = 50, EndpointId[]? subset = null, EndpointId[]? excluded = null, GatewaySession? session = null) => new()
        {
            RequestId = $"r{_requests++}",
            Pool = PoolName,
            Session = session ?? Session,
            Model = model,
            FairnessId = "",
            PromptTokens = prompt,
            MaxOutputTokens = output,
            Subset = subset is null ? default : [.. subset],
            Excluded = excluded is null ? default : [.. excluded],
        };

    public RouteDecision Route(RouteRequest? request = null) => State.Route(request ?? Request());

    public RouteDecision RouteTo(int endpoint) => State.Route(Request(subset: [Id(endpoint)]));

    /// <summary>Waits that have ended, in the order in which they did.</summary>
    public List<(long Ticket, RouteDecision Decision)> Decided()
    {
        var decided = new List<(long, RouteDecision)>();
        while (State.TryTakeDecided(out var ticket, out var decision)) decided.Add((ticket, decision));
        return decided;
    }

    public bool Complete(RouteDecision decision, OutcomeKind kind = OutcomeKind.Success) =>
        State.Complete(decision.Lease, new RequestOutcome(kind));

    public HealthTransition Probe(int endpoint, bool success) => State.Apply(new ProbeResult(Id(endpoint), Time.GetTimestamp(), success));

    public bool Sample(int endpoint, double? kv = null, int? waiting = null) => State.Apply(new EndpointSample
    {
        Endpoint = Id(endpoint),
        Timestamp = Time.GetTimestamp(),
        KvUtilizationRatio = kv,
        WaitingRequests = waiting,
    });

    public void Models(int endpoint, params string[] models) => State.ApplyModels(Id(endpoint), [.. models]);

    public EndpointSnapshot Endpoint(int number) => Endpoints().Single(e => e.Id == Id(number));

    public ImmutableArray<EndpointSnapshot> Endpoints() => [.. State.Snapshot().Backends.SelectMany(b => b.Endpoints)];
}
