using System.Globalization;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Leases;
using Mesh.Core.PrefixCache;
using Mesh.Core.Routing;
using Mesh.Simulation.World;

namespace Mesh.Simulation.Baselines;

/// <summary>The production core itself: one <see cref="PoolState"/> with one backend, called as the embedded engine calls it.</summary>
internal sealed class MeshRouter(ulong seed) : IWorldRouter
{
    private const double HeartbeatMs = 1000;

    private const int TraceBlockTokens = 512;

    // The engine ticks again within this time when requests wait for what time alone brings.
    private const double ImpatientTickMs = 10;

    private static readonly PoolId Pool = new("default", "pool");
    private static readonly PrefixLayout Layout = PrefixLayout.Uniform(TraceBlockTokens, 1024);
    private static readonly GatewaySession Session = new("gateway", 1);

    private readonly Dictionary<EndpointId, int> _numbers = [];
    private readonly Dictionary<long, WorldRequest> _waiting = [];
    private EndpointId[] _endpoints = [];
    private IWorldHost? _host;
    private PoolState? _state;

    public double ScrapeIntervalMs => 200;

    private IWorldHost Host => _host!;

    private PoolState State => _state!;

    public void Start(IWorldHost host)
    {
        _host = host;
        _endpoints = new EndpointId[host.Endpoints];
        for (var i = 0; i < _endpoints.Length; i++)
        {
            _endpoints[i] = new EndpointId(string.Create(CultureInfo.InvariantCulture, $"10.{i >> 16}.{(i >> 8) & 255}.{i & 255}:8000"));
            _numbers.Add(_endpoints[i], i);
        }

        _state = new PoolState(Configuration(), host.Clock, seed, new PoolStateOptions { PrefixLayout = Layout });
        foreach (var endpoint in _endpoints) _state.ApplyHealth(endpoint, EndpointHealth.Healthy);
        OnWake();
    }

    public void OnArrival(WorldRequest request)
    {
        var asked = new RouteRequest
        {
            RequestId = "",
            Pool = Pool,
            Session = Session,
            FairnessId = "",
            PromptTokens = request.PromptTokens,
            PrefixChain = request.Chain[..(request.PromptTokens / TraceBlockTokens)],
            IsStreaming = true,
        };
        var decision = State.Route(in asked);
        if (decision.Kind == RouteKind.Wait) _waiting.Add(decision.Ticket, request);
        else Act(request, in decision);
        TakeDecided();
        if (State.WaitsForTime) Host.WakeAt(Host.Clock.NowMs + ImpatientTickMs);
    }

    public void OnFirstByte(WorldRequest request)
    {
        State.ReportFirstByte(request.Lease);
        TakeDecided();
    }

    public void OnEnd(WorldRequest request)
    {
        var outcome = new RequestOutcome(OutcomeKind.Success, request.PromptTokens, request.CachedTokens, request.OutputTokens);
        State.Complete(request.Lease, in outcome);
        TakeDecided();
    }

    public void OnScrape(int endpoint, in EngineGauges gauges)
    {
        State.Apply(new EndpointSample
        {
            Endpoint = _endpoints[endpoint],
            Timestamp = Host.Clock.GetTimestamp(),
            KvUtilizationRatio = gauges.KvUtilizationRatio,
            RunningRequests = gauges.Running,
            WaitingRequests = gauges.Waiting,
        });
        TakeDecided();
    }

    public void OnWake()
    {
        State.Heartbeat(Session);
        var next = State.Tick();
        TakeDecided();
        var inMs = next is { } time ? Math.Clamp(time.TotalMilliseconds, 0.1, HeartbeatMs) : HeartbeatMs;
        Host.WakeAt(Host.Clock.NowMs + inMs);
    }

    private PoolConfig Configuration() => new()
    {
        Id = Pool,
        // The world's clients wait as long as it takes: what a time-out would hide is to be seen.
        Timeout = TimeSpan.FromHours(10),
        Backends =
        [
            new BackendConfig
            {
                Id = new BackendId("cluster", "zone", 8000),
                Region = "region",
                Endpoints = [.. _endpoints.Order().Select(e => new EndpointConfig { Id = e, PodName = e.Address })],
            },
        ],
    };

    private void TakeDecided()
    {
        while (State.TryTakeDecided(out var ticket, out var decision))
        {
            if (_waiting.Remove(ticket, out var request)) Act(request, in decision);
        }
    }

    private void Act(WorldRequest request, in RouteDecision decision)
    {
        if (decision.Kind == RouteKind.Refuse)
        {
            Host.Refuse(request);
            return;
        }

        request.Lease = decision.Lease;
        Host.Send(request, _numbers[decision.Endpoint]);
    }
}
