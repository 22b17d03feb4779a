using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.FlowControl;
using Mesh.Core.Leases;
using Mesh.Core.Randomness;
using Mesh.Core.Routing;
using Mesh.Core.SpillOver;
using Mesh.Testing;

namespace Mesh.Core.Tests.Routing;

/// <summary>Random operations on a pool of three tiers in which requests wait; <see cref="QueueJudge"/> judges every decision.</summary>
internal sealed class QueueRun
{
    private const int EndpointsPerBackend = 4;
    private static readonly string[] Clusters = ["east", "pref", "west-a", "west-b"];
    private static readonly string?[] ModelNames = [null, "a", "b"];
    private readonly ManualTimeProvider _time = new();
    private readonly Xoshiro256 _random;
    private readonly GatewaySession[] _sessions = [new("g", 1), new("h", 1)];
    private readonly Dictionary<GatewaySession, long> _lastSeen = [];
    private readonly QueueJudge _judge;
    private readonly bool _bindsLate;
    private PoolConfig _config;

    public QueueRun(ulong seed, bool bindsLate)
    {
        _random = new Xoshiro256(seed);
        _bindsLate = bindsLate;
        _config = Config();
        State = new PoolState(_config, _time, seed, new PoolStateOptions { Locality = new Locality { Region = "west" } });
        _judge = new QueueJudge(State, bindsLate);
        foreach (var endpoint in _config.Backends.SelectMany(b => b.Endpoints)) State.ApplyHealth(endpoint.Id, EndpointHealth.Healthy);
    }

    public PoolState State { get; }

    public QueueJudge Judge => _judge;

    public void Step()
    {
        switch (_random.NextInt32(40))
        {
            case < 18: Route(); break;
            case < 32: Complete(); break;
            case < 34: Cancel(); break;
            case < 36:
                State.ApplyHealth(Endpoint(), _random.NextInt32(4) == 0 ? EndpointHealth.Unhealthy : EndpointHealth.Healthy);
                break;
            case 36 when _judge.Held.Count > 0 && _random.NextInt32(2) == 0:
                State.ReportFirstByte(_judge.Held[_random.NextInt32(_judge.Held.Count)].Decision.Lease);
                break;
            case 36:
                State.ApplyModels(Endpoint(), _random.NextInt32(3) switch { 0 => default, 1 => ["a"], _ => ["a", "b"] });
                break;
            case 37:
                _config = Config();
                State.Reconfigure(_config);
                break;
            case 38:
                var beating = _sessions[_random.NextInt32(2)];
                _lastSeen[beating] = _time.GetTimestamp();
                State.Heartbeat(beating);
                break;
            default: Tick(); break;
        }

        _judge.TakeDecided(_config, (long)_time.GetElapsedTime(0).TotalMilliseconds);
        _judge.JudgeRest(_config);
    }

    private EndpointId Endpoint() => Id(Clusters[_random.NextInt32(Clusters.Length)], _random.NextInt32(EndpointsPerBackend));

    private static EndpointId Id(string cluster, int index) => new($"{cluster}{index}:8000");

    private void Route()
    {
        var session = _sessions[_random.NextInt32(2)];
        _lastSeen[session] = _time.GetTimestamp();
        var request = new RouteRequest
        {
            RequestId = "r",
            Pool = PoolFixture.PoolName,
            Session = session,
            Model = ModelNames[_random.NextInt32(ModelNames.Length)],
            Priority = _random.NextInt32(4) - 1,
            FairnessId = $"f{_random.NextInt32(4)}",
            PromptTokens = _random.NextInt32(1000),
            IsStreaming = _random.NextInt32(3) != 0,
            MaxOutputTokens = 1,
            BodyBytes = _random.NextInt32(100),
            Excluded = _random.NextInt32(8) == 0 ? [Endpoint()] : default,
            Subset = _random.NextInt32(12) == 0 ? [Endpoint(), Endpoint(), Endpoint()] : default,
        };
        var decision = State.Route(in request);
        // What the pool decided on the way came before.
        _judge.TakeDecided(_config, (long)_time.GetElapsedTime(0).TotalMilliseconds);
        _judge.Decided(_config, in request, decision);
    }

    private void Complete()
    {
        if (_judge.Held.Count == 0) return;
        var held = _judge.Held[_random.NextInt32(_judge.Held.Count)];
        _judge.Held.Remove(held);
        if (!State.Complete(held.Decision.Lease, new RequestOutcome(OutcomeKind.Success))) _judge.Violation = "a lease was lost";
    }

    private void Cancel()
    {
        if (_judge.Waiting.Count == 0) return;
        var ticket = _judge.Waiting.Keys.ElementAt(_random.NextInt32(_judge.Waiting.Count));
        _judge.Waiting.Remove(ticket);
        if (!State.CancelWait(ticket)) _judge.Violation = $"ticket {ticket} waited no more, but had no decision";
    }

    private void Tick()
    {
        _time.Advance(TimeSpan.FromMilliseconds(_random.NextInt32(2500)));
        var now = _time.GetTimestamp();
        State.Tick();
        _judge.ForgetSessions(s => now - _lastSeen.GetValueOrDefault(s) >= TimeSpan.FromSeconds(5).Ticks);
    }

    private PoolConfig Config() => new()
    {
        Id = PoolFixture.PoolName,
        Scheduling = _bindsLate ? new SchedulingConfig() : new SchedulingConfig { BindAhead = null },
        TrafficDistribution = new() { FailoverHealthThreshold = 0, AutoCapacityDrain = _random.NextInt32(4) == 0 },
        FlowControl = new FlowControlSettings
        {
            WhenFull = (WhenFull)(_random.NextInt32(8) switch { 0 => 0, 1 => 2, _ => 1 }),
            MaxWaitingRequests = 3 + _random.NextInt32(30),
            MaxWaitingBytes = 100 + _random.NextInt32(2000),
            MaxWait = TimeSpan.FromSeconds(1 + _random.NextInt32(20)),
            Order = QueueOrder.Fcfs,
        },
        Backends =
        [
            .. Clusters.Select(cluster => new BackendConfig
            {
                Id = new BackendId(cluster, "z", 8000),
                Region = cluster.Split('-')[0],
                Settings = new BackendSettings
                {
                    Mode = BalancingMode.InFlight,
                    MaxInFlightPerEndpoint = 1 + _random.NextInt32(2),
                    Preference = cluster == "pref" ? BackendPreference.Preferred : BackendPreference.Default,
                    CapacityScaler = _random.NextInt32(6) switch { 0 => 0, 1 => 0.5, _ => 1 },
                },
                Endpoints = Enumerable.Range(0, 1 + _random.NextInt32(EndpointsPerBackend))
                    .Select(i => new EndpointConfig { Id = Id(cluster, i), PodName = $"{cluster}{i}" }).ToImmutableArray(),
            }),
        ],
    };
}
