using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Leases;
using Mesh.Core.PrefixCache;
using Mesh.Core.PrefixCache.Exact;
using Mesh.Core.Routing;
using Mesh.Simulation.Fleets;
using Mesh.Simulation.Traces;
using Mesh.Simulation.World;

namespace Mesh.Simulation.Baselines;

/// <summary>
/// The production core as a router of the world: one <see cref="PoolState"/>, called as the embedded engine calls it. It learns of prefixes
/// from what it routed, and of engines from scrapes at the embedded engine's paces. What differs is which pool it has.
/// </summary>
internal abstract class CoreRouter : IWorldRouter, IAbandonable
{
    private const double HeartbeatMs = 1000;

    // Timers of a real host are no finer.
    private const double LeastTickMs = 1;
    private const int MostPromptBlocks = WorldOptions.LongestPrompt / TraceRequest.BlockTokens;

    // What a body of JSON takes for one token of text.
    private const int BytesPerToken = 4;

    // Three of the longest intervals of a resting endpoint.
    private static readonly TimeSpan RestingAge = TimeSpan.FromSeconds(6);

    private readonly Dictionary<EndpointId, int> _numbers = [];
    private readonly Dictionary<long, WorldRequest> _waiting = [];
    private readonly Dictionary<WorldRequest, long> _tickets = [];
    private CorePoolSetup? _setup;
    private GatewaySession _session;
    private bool _keepsSessions;
    private long[] _kvTokens = [];
    private IWorldHost? _host;
    private PoolState? _state;

    public double ScrapeIntervalMs => 200;

    public double CrowdedScrapeIntervalMs => 50;

    private IWorldHost Host => _host!;

    private PoolState State => _state!;

    private CorePoolSetup Pool => _setup!;

    public void Start(IWorldHost host)
    {
        _host = host;
        _setup = SetUp(host);
        _session = new GatewaySession(Pool.Gateway, 1);
        _keepsSessions = Pool.Config.SessionAffinity.Type != SessionAffinityType.None || Pool.Config.Scheduling.Profile == Core.Scheduling.ProfileNames.Session;
        _kvTokens = new long[host.Endpoints];
        for (var i = 0; i < _kvTokens.Length; i++)
        {
            _numbers.Add(Pool.Endpoints[i], i);
            var engine = host.Engine(i).Options;
            _kvTokens[i] = (long)engine.NumGpuBlocks * engine.BlockSize;
        }

        // Twice what all the engines' caches hold: what is known of them is forgotten by their size, not for want of room here.
        var blocks = (int)Math.Clamp(2 * _kvTokens.Sum() / TraceRequest.BlockTokens, 1 << 16, 50_000_000);
        var options = new PoolStateOptions
        {
            PrefixLayout = PrefixLayout.Uniform(TraceRequest.BlockTokens, MostPromptBlocks),
            MaxPrefixBlocks = blocks,
            ExactPrefixes = new ExactPrefixOptions { MaxBlocks = (int)Math.Clamp(2 * _kvTokens.Sum() / host.Engine(0).Options.BlockSize, 1 << 16, 50_000_000), MaxMappings = blocks },
            Locality = Pool.Locality,
        };
        _state = new PoolState(Pool.Config, host.Clock, Pool.Seed, options);
        foreach (var endpoint in Pool.Endpoints) _state.ApplyHealth(endpoint, EndpointHealth.Healthy);
        for (var i = 0; Pool.CacheEvents && i < Pool.Endpoints.Length; i++) EngineCacheFeed.Attach(host.Engine(i), _state, Pool.Endpoints[i]);
        OnWake();
    }

    public void OnArrival(WorldRequest request)
    {
        var asked = new RouteRequest
        {
            RequestId = "",
            Pool = Pool.Config.Id,
            Session = _session,
            FairnessId = "",
            Priority = request.Priority,
            PromptTokens = request.PromptTokens,
            BodyBytes = request.PromptTokens * BytesPerToken,
            IsStreaming = true,
            // A prompt's last block is hashed when it is full only.
            PrefixChain = request.Chain[..Math.Min(request.Chain.Length, request.PromptTokens / TraceRequest.BlockTokens)],
            AffinityKey = _keepsSessions ? request.Session : 0,
        };
        var decision = State.Route(in asked);
        if (decision.Kind == RouteKind.Wait)
        {
            _waiting.Add(decision.Ticket, request);
            _tickets.Add(request, decision.Ticket);
        }
        else
        {
            Act(request, in decision);
        }

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

    public void OnAbandoned(WorldRequest request, bool isRefusedByEndpoint)
    {
        if (_tickets.Remove(request, out var ticket))
        {
            _waiting.Remove(ticket);
            State.CancelWait(ticket);
        }
        else
        {
            // A refusal with a 4xx is an answer.
            var outcome = new RequestOutcome(isRefusedByEndpoint ? OutcomeKind.Success : OutcomeKind.Timeout);
            State.Complete(request.Lease, in outcome);
        }

        TakeDecided();
    }

    public void OnScrape(int endpoint, in EngineGauges gauges)
    {
        State.Apply(new EndpointSample
        {
            Endpoint = Pool.Endpoints[endpoint],
            Timestamp = Host.Clock.GetTimestamp(),
            KvUtilizationRatio = gauges.KvUtilizationRatio,
            RunningRequests = gauges.Running,
            WaitingRequests = gauges.Waiting,
            MaxAge = gauges.Running == 0 && gauges.Waiting == 0 ? RestingAge : null,
            KvCapacityTokens = _kvTokens[endpoint],
            NamedMetrics = Pool.Exports is { } exports ? Named(exports[endpoint], in gauges) : ImmutableSortedDictionary<string, double>.Empty,
        });
        TakeDecided();
    }

    public void OnWake()
    {
        State.Heartbeat(_session);
        var next = State.Tick();
        TakeDecisions();
        var inMs = next is { } time ? Math.Clamp(time.TotalMilliseconds, LeastTickMs, HeartbeatMs) : HeartbeatMs;
        Host.WakeAt(Host.Clock.NowMs + inMs);
    }

    /// <summary>The pool; called once, when the world begins.</summary>
    protected abstract CorePoolSetup SetUp(IWorldHost host);

    private static ImmutableSortedDictionary<string, double> Named(ImmutableArray<MetricExportConfig> exports, in EngineGauges gauges)
    {
        var named = ImmutableSortedDictionary<string, double>.Empty;
        if (exports.IsDefaultOrEmpty) return named;
        foreach (var export in exports)
        {
            if (SimulatedMetrics.Read(export.MetricName, in gauges) is { } value && !named.ContainsKey(export.ExportName)) named = named.Add(export.ExportName, value);
        }

        return named;
    }

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
            if (!_waiting.Remove(ticket, out var request)) continue;
            _tickets.Remove(request);
            Act(request, in decision);
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
