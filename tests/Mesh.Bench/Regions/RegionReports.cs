using BenchmarkDotNet.Attributes;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Leases;
using Mesh.Core.PrefixCache;
using Mesh.Core.Regions.Reports;
using Mesh.Core.Routing;
using Mesh.Core.SpillOver;

namespace Mesh.Bench.Regions;

/// <summary>
/// What peers cost a pool of 1,000 endpoints: one report made for each, one taken from each, and a placement with its end while they are looked at. Half of the
/// requests share beginnings, so that digests are full. The clock moves by the report interval with each report made.
/// </summary>
public class RegionReports
{
    private const int Endpoints = 1000;
    private const int ChainBlocks = 64;
    private static readonly PoolId Pool = new("default", "pool");
    private readonly SteppedTime _time = new();
    private readonly Queue<LeaseId> _running = new();
    private readonly RouteRequest[] _requests = new RouteRequest[4096];
    private readonly string[] _names = ["peer-0", "peer-1", "peer-2", "peer-3"];
    private PoolState _state = null!;
    private PoolReport _part = null!;
    private long _sequence;
    private int _next;

    [Params(0, 1, 4)]
    public int Peers { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var config = new PoolConfig
        {
            Id = Pool,
            Scheduling = new SchedulingConfig { BindAhead = null },
            Backends =
            [
                new BackendConfig
                {
                    Id = new BackendId("cluster", "zone", 8000),
                    Region = "home",
                    Endpoints = [.. Enumerable.Range(0, Endpoints).Select(i => new EndpointConfig { Id = Id(i), PodName = $"pod-{i}" })],
                },
            ],
        };
        var options = new PoolStateOptions { Locality = new Locality { Region = "home" }, PrefixLayout = PrefixLayout.Uniform(64, ChainBlocks) };
        _state = new PoolState(config, _time, 1, options);
        for (var i = 0; i < Endpoints; i++) _state.ApplyHealth(Id(i), EndpointHealth.Healthy);
        _state.SetPeers(_names.AsSpan(0, Peers));
        for (var i = 0; i < _requests.Length; i++) _requests[i] = Request(i);
        for (var i = 0; i < 20_000; i++) Route();
        _part = _state.BuildReport("peer-0") with { Tiers = [new TierReport(BackendPreference.Default, Endpoints, Endpoints) { Spare = 1000, Grant = 1000 }] };
        for (var i = 0; i < 3; i++) Apply();
    }

    /// <summary>Reports to all peers.</summary>
    [Benchmark]
    public int Build()
    {
        _time.Step(TimeSpan.FromMilliseconds(100));
        var prefixes = 0;
        for (var i = 0; i < Peers; i++) prefixes += _state.BuildReport(_names[i]).HotPrefixes.Length;
        return prefixes;
    }

    /// <summary>One report taken from each peer.</summary>
    [Benchmark]
    public bool Apply()
    {
        var taken = false;
        _sequence++;
        for (var i = 0; i < Peers; i++) taken |= _state.ApplyPeer(new RegionReport { Region = _names[i], Instance = 1, Sequence = _sequence, HeardAge = TimeSpan.Zero }, _part);
        return taken;
    }

    /// <summary>A placement and its end.</summary>
    [Benchmark]
    public RouteKind Route()
    {
        var decision = _state.Route(in _requests[_next++ & 4095]);
        if (decision.Kind is RouteKind.Send or RouteKind.Forward) _running.Enqueue(decision.Lease);
        var outcome = new RequestOutcome(OutcomeKind.Success);
        while (_running.Count > 4 * Endpoints) _state.Complete(_running.Dequeue(), in outcome);
        return decision.Kind;
    }

    private static EndpointId Id(int i) => new($"10.0.{i >> 8}.{i & 255}:8000");

    private static RouteRequest Request(int i)
    {
        var chain = new ulong[ChainBlocks];
        for (var b = 0; b < ChainBlocks; b++) chain[b] = ((ulong)(b < 16 ? i % 64 : i) * 1000 + (ulong)b + 1) * 0x9E3779B97F4A7C15;
        return new RouteRequest
        {
            RequestId = "",
            Pool = Pool,
            Session = new GatewaySession("gateway", 1),
            FairnessId = "",
            PromptTokens = 64 * ChainBlocks,
            IsStreaming = true,
            PrefixChain = chain,
        };
    }

    private sealed class SteppedTime : TimeProvider
    {
        private long _now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _now;

        public void Step(TimeSpan by) => _now += by.Ticks;
    }
}
