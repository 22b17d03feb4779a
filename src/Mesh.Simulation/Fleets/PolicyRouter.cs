using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Leases;
using Mesh.Core.PrefixCache;
using Mesh.Core.Routing;
using Mesh.Core.SpillOver;
using Mesh.Core.Scheduling;
using Mesh.Simulation.Baselines;
using Mesh.Simulation.Traces;
using Mesh.Simulation.World;

namespace Mesh.Simulation.Fleets;

/// <summary>
/// One region's gateway with the production core and a pool as manifests configure it: a <see cref="PoolState"/> of its own that stands in
/// that region and learns of what other gateways send by scrapes alone, 200 ms apart.
/// </summary>
internal sealed class PolicyRouter : IWorldRouter, IAbandonable
{
    private const double HeartbeatMs = 1000;

    // Timers of a real host are no finer.
    private const double LeastTickMs = 1;
    private const int MostPromptBlocks = WorldOptions.LongestPrompt / TraceRequest.BlockTokens;

    // What a body of JSON takes for one token of text.
    private const int BytesPerToken = 4;

    private readonly PoolConfig _config;
    private readonly Locality _locality;
    private readonly ulong _seed;
    private readonly EndpointId[] _endpoints;
    private readonly Dictionary<EndpointId, int> _numbers = [];
    private readonly ImmutableArray<MetricExportConfig>[] _exports;
    private readonly Dictionary<long, WorldRequest> _waiting = [];
    private readonly Dictionary<WorldRequest, long> _tickets = [];
    private readonly GatewaySession _session;
    private readonly bool _keepsSessions;
    private long[] _kvTokens = [];
    private IWorldHost? _host;
    private PoolState? _state;

    /// <param name="config">The pool; its endpoints are those of the fleet.</param>
    /// <param name="locality">Where the gateway stands.</param>
    /// <param name="fleet">The fleet, whose order of endpoints is the router's.</param>
    /// <param name="seed">Seed of the pool.</param>
    /// <exception cref="ArgumentException">A backend has an endpoint that is not in the fleet.</exception>
    public PolicyRouter(PoolConfig config, Locality locality, FleetTopology fleet, ulong seed)
    {
        _config = config;
        _locality = locality;
        _seed = seed;
        _session = new GatewaySession($"gateway-{locality.Region}", 1);
        _keepsSessions = config.SessionAffinity.Type != SessionAffinityType.None || config.Scheduling.Profile == ProfileNames.Session;
        _endpoints = [.. fleet.Endpoints.Select(e => e.Id)];
        for (var i = 0; i < _endpoints.Length; i++) _numbers.Add(_endpoints[i], i);
        _exports = new ImmutableArray<MetricExportConfig>[_endpoints.Length];
        foreach (var endpoint in config.Backends.SelectMany(b => b.Endpoints))
        {
            if (!_numbers.TryGetValue(endpoint.Id, out var number)) throw new ArgumentException($"{endpoint.Id} is not in the fleet.", nameof(config));
            _exports[number] = [.. endpoint.MetricsPages.SelectMany(p => p.Exports)];
        }
    }

    public double ScrapeIntervalMs => 200;

    private IWorldHost Host => _host!;

    private PoolState State => _state!;

    public void Start(IWorldHost host)
    {
        _host = host;
        _kvTokens = new long[_endpoints.Length];
        for (var i = 0; i < _kvTokens.Length; i++)
        {
            var engine = host.Engine(i).Options;
            _kvTokens[i] = (long)engine.NumGpuBlocks * engine.BlockSize;
        }

        // Twice what all the engines' caches hold: what is known of them is forgotten by their size, not for want of room here.
        var blocks = (int)Math.Clamp(2 * _kvTokens.Sum() / TraceRequest.BlockTokens, 1 << 16, 50_000_000);
        var options = new PoolStateOptions { PrefixLayout = PrefixLayout.Uniform(TraceRequest.BlockTokens, MostPromptBlocks), MaxPrefixBlocks = blocks, Locality = _locality };
        _state = new PoolState(_config, host.Clock, _seed, options);
        foreach (var endpoint in _endpoints) _state.ApplyHealth(endpoint, EndpointHealth.Healthy);
        OnWake();
    }

    public void OnArrival(WorldRequest request)
    {
        var asked = new RouteRequest
        {
            RequestId = "",
            Pool = _config.Id,
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
            Endpoint = _endpoints[endpoint],
            Timestamp = Host.Clock.GetTimestamp(),
            KvUtilizationRatio = gauges.KvUtilizationRatio,
            RunningRequests = gauges.Running,
            WaitingRequests = gauges.Waiting,
            KvCapacityTokens = _kvTokens[endpoint],
            NamedMetrics = Named(_exports[endpoint], in gauges),
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
