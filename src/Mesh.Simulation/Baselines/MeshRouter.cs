using System.Globalization;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Leases;
using Mesh.Core.PrefixCache;
using Mesh.Core.PrefixCache.Exact;
using Mesh.Core.Routing;
using Mesh.Core.Scheduling;
using Mesh.Core.StepTimes;
using Mesh.Simulation.Traces;
using Mesh.Simulation.World;

namespace Mesh.Simulation.Baselines;

/// <summary>
/// The production core itself: one <see cref="PoolState"/> with one backend, called as the embedded engine calls it. It learns of prefixes
/// from what it routed, and of engines from scrapes 200 ms apart.
/// </summary>
/// <param name="seed">Seed of the pool.</param>
/// <param name="profile">Name of the scheduling profile.</param>
/// <param name="bindsLate">Whether a request waits in the pool until its endpoint is nearly ready for it; only the default profile does.</param>
/// <param name="cacheEvents">Whether engines tell what their caches hold, at once and without loss; else prefixes are known from what was routed.</param>
internal sealed class MeshRouter(ulong seed, string profile = ProfileNames.Mesh, bool bindsLate = true, bool cacheEvents = false) : IWorldRouter
{
    private const double HeartbeatMs = 1000;

    // Timers of a real host are no finer.
    private const double LeastTickMs = 1;
    private const int MostPromptBlocks = WorldOptions.LongestPrompt / TraceRequest.BlockTokens;

    private static readonly TimeSpan RestingAge = TimeSpan.FromSeconds(6);
    private static readonly PoolId Pool = new("default", "pool");
    private static readonly GatewaySession Session = new("gateway", 1);

    private readonly Dictionary<EndpointId, int> _numbers = [];
    private readonly Dictionary<long, WorldRequest> _waiting = [];
    private EndpointId[] _endpoints = [];
    private long[] _kvTokens = [];
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

        var engine = host.Engine(0).Options;
        _kvTokens = new long[host.Endpoints];
        for (var i = 0; i < _kvTokens.Length; i++) _kvTokens[i] = (long)host.Engine(i).Options.NumGpuBlocks * engine.BlockSize;
        var options = new PoolStateOptions
        {
            PrefixLayout = PrefixLayout.Uniform(TraceRequest.BlockTokens, MostPromptBlocks),
            MaxPrefixBlocks = PrefixBlocks(),
            ExactPrefixes = new ExactPrefixOptions { MaxBlocks = (int)Math.Clamp(2 * _kvTokens.Sum() / engine.BlockSize, 1 << 16, 50_000_000), MaxMappings = PrefixBlocks() },
        };
        _state = new PoolState(Configuration(engine.StepTimes), host.Clock, seed, options);
        foreach (var endpoint in _endpoints) _state.ApplyHealth(endpoint, EndpointHealth.Healthy);
        for (var i = 0; cacheEvents && i < _endpoints.Length; i++) EngineCacheFeed.Attach(host.Engine(i), _state, _endpoints[i]);
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
            IsStreaming = true,
            // A prompt's last block is hashed when it is full only.
            PrefixChain = request.Chain[..Math.Min(request.Chain.Length, request.PromptTokens / TraceRequest.BlockTokens)],
            AffinityKey = profile == ProfileNames.Session ? request.Session : 0,
        };
        var decision = State.Route(in asked);
        if (decision.Kind == RouteKind.Wait) _waiting.Add(decision.Ticket, request);
        else Act(request, in decision);
        TakeDecided();
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
            // The world reads a resting engine up to ten times less often.
            MaxAge = gauges.Running == 0 && gauges.Waiting == 0 ? RestingAge : null,
            KvCapacityTokens = _kvTokens[endpoint],
        });
        TakeDecided();
    }

    public void OnWake()
    {
        State.Heartbeat(Session);
        var next = State.Tick();
        TakeDecisions();
        var inMs = next is { } time ? Math.Clamp(time.TotalMilliseconds, LeastTickMs, HeartbeatMs) : HeartbeatMs;
        Host.WakeAt(Host.Clock.NowMs + inMs);
    }

    // Twice what all the engines' caches hold: what is known of them is forgotten by their size, not for want of room here.
    private int PrefixBlocks() => (int)Math.Clamp(2 * _kvTokens.Sum() / TraceRequest.BlockTokens, 1 << 16, 50_000_000);

    private PoolConfig Configuration(StepTimeTable stepTimes) => new()
    {
        Id = Pool,
        Scheduling = new SchedulingConfig
        {
            Profile = profile,
            BindAhead = bindsLate ? new SchedulingConfig().BindAhead : null,
            StepTimes = stepTimes,
        },
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

    // A request that waits for time may be due before the tick that was asked for last.
    private void TakeDecided()
    {
        TakeDecisions();
        if (State.WaitsForTime) Host.WakeAt(Host.Clock.NowMs + LeastTickMs);
    }

    private void TakeDecisions()
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
            request.RefusedFor = RefusalName.Of(decision.Reason);
            Host.Refuse(request);
            return;
        }

        request.Lease = decision.Lease;
        Host.Send(request, _numbers[decision.Endpoint]);
    }
}
