using BenchmarkDotNet.Attributes;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Leases;
using Mesh.Core.PrefixCache;
using Mesh.Core.PrefixCache.Exact;
using Mesh.Core.Routing;
using Mesh.Core.Scheduling;

namespace Mesh.Bench.Routing;

/// <summary>
/// One placement and its end, profile mesh: 128 block hashes per prompt, of which 32 are shared with other sessions; the index is filled
/// with sessions that were placed before. Requests in flight stay at four per endpoint, so that loads differ.
/// </summary>
public class RouteAndComplete
{
    private const int ChainBlocks = 128;
    private const int BlockTokens = 64;
    private const int Adapters = 100;
    private static readonly PoolId Pool = new("default", "pool");
    private static readonly GatewaySession Session = new("gateway", 1);
    private readonly Queue<LeaseId> _running = new();
    private readonly Dictionary<EndpointId, long> _feeds = [];
    private RouteRequest[] _requests = [];
    private PoolState _state = null!;
    private bool _isFilling = true;
    private int _next;

    [Params(100, 1000, 10_000)]
    public int Endpoints { get; set; }

    [Params(100_000, 10_000_000)]
    public int IndexBlocks { get; set; }

    /// <summary>True for a policy with a target far above the load: the backend is chosen first, then its endpoint.</summary>
    public bool HasTarget { get; set; }

    /// <summary>What is placed.</summary>
    public PlacementKind Kind { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var config = new PoolConfig
        {
            Id = Pool,
            // Early binding: the benchmark's clock does not wait for anybody.
            Scheduling = new SchedulingConfig { BindAhead = null, Profile = Kind == PlacementKind.Scored ? ProfileNames.LeastRequest : ProfileNames.Mesh },
            Backends =
            [
                new BackendConfig
                {
                    Id = new BackendId("cluster", "zone", 8000),
                    Region = "region",
                    Settings = HasTarget ? new BackendSettings { Mode = BalancingMode.InFlight, MaxInFlightPerEndpoint = 1000 } : new BackendSettings(),
                    Endpoints = [.. Enumerable.Range(0, Endpoints).Select(i => new EndpointConfig { Id = Id(i), PodName = $"pod-{i}" })],
                },
            ],
        };
        var options = new PoolStateOptions
        {
            PrefixLayout = PrefixLayout.Uniform(BlockTokens, ChainBlocks),
            MaxPrefixBlocks = (int)(IndexBlocks * 1.4),
            // Samples come once here.
            SampleMaxAge = TimeSpan.FromMinutes(10),
            ExactPrefixes = new ExactPrefixOptions { MaxMappings = (int)(IndexBlocks * 1.4) },
        };
        _state = new PoolState(config, TimeProvider.System, 1, options);
        for (var i = 0; i < Endpoints; i++)
        {
            _state.ApplyHealth(Id(i), EndpointHealth.Healthy);
            var sample = new EndpointSample { Endpoint = Id(i), Timestamp = TimeProvider.System.GetTimestamp(), KvCapacityTokens = 1L << 40 };
            if (Kind == PlacementKind.Adapter) sample = sample with { MaxLoras = 4, RunningAdapters = [Adapter(i)], WaitingAdapters = [] };
            _state.Apply(sample);
            if (Kind == PlacementKind.Events) Follow(Id(i));
        }

        var sessions = IndexBlocks / (ChainBlocks - 32);
        _requests = new RouteRequest[Math.Min(sessions, 20_000)];
        for (var i = 0; i < sessions; i++)
        {
            var request = Request(i);
            if (i < _requests.Length) _requests[i] = request;
            Place(in request);
        }

        _isFilling = false;
        for (var i = 0; i < 4 * Endpoints; i++) Route();
    }

    /// <summary>A prompt that some endpoint holds already, at a steady number of requests in flight.</summary>
    [Benchmark]
    public void Turn()
    {
        var lease = _running.Dequeue();
        _state.ReportFirstByte(lease);
        _state.Complete(lease, new RequestOutcome(OutcomeKind.Success));
        Route();
    }

    private void Route()
    {
        _next = (_next + 7919) % _requests.Length;
        Place(in _requests[_next]);
    }

    private void Place(in RouteRequest request)
    {
        var decision = _state.Route(in request);
        if (decision.Kind != RouteKind.Send) throw new InvalidOperationException(decision.ToString());
        if (_isFilling && Kind == PlacementKind.Events) Tell(in request, decision.Endpoint);
        _running.Enqueue(decision.Lease);
        if (_running.Count <= 4 * Endpoints) return;
        _state.Complete(_running.Dequeue(), new RequestOutcome(OutcomeKind.Success));
    }

    private static EndpointId Id(int number) => new($"10.{number >> 16}.{(number >> 8) & 255}.{number & 255}:8000");

    private static string Adapter(int number) => $"adapter-{number % Adapters}";

    private void Follow(EndpointId endpoint)
    {
        var feed = _state.AddCacheFeed(endpoint)!.Value;
        _state.ApplyCacheState(feed, CacheKnowledge.Exact);
        _feeds.Add(endpoint, feed);
    }

    // The endpoint's blocks and hashes are the gateway's here.
    private void Tell(in RouteRequest request, EndpointId endpoint)
    {
        var feed = _feeds[endpoint];
        var chain = request.PrefixChain.Span;
        _state.ApplyCacheStored(feed, new StoredBlocks { Hashes = chain, BlockTokens = BlockTokens });
        foreach (var place in chain) _state.ApplyCachePlace(feed, place, place);
    }

    private RouteRequest Request(int session)
    {
        var chain = new ulong[ChainBlocks];
        var hash = 1UL;
        for (var i = 0; i < ChainBlocks; i++)
        {
            var content = i < 8 ? 0UL : i < 32 ? (ulong)(session / 100) + 1 : ((ulong)session << 8) + 0x1_0000_0000;
            hash = (hash ^ content) * 0x9E3779B97F4A7C15;
            hash ^= hash >> 29;
            chain[i] = hash;
        }

        return new RouteRequest
        {
            RequestId = "r",
            Pool = Pool,
            Session = Session,
            FairnessId = "",
            PromptTokens = ChainBlocks * BlockTokens + 100,
            MaxOutputTokens = 200,
            IsStreaming = true,
            PrefixChain = chain,
            Excluded = Kind == PlacementKind.Retry ? [Id(session % Endpoints), Id(session * 7 % Endpoints)] : default,
            Subset = Kind == PlacementKind.Subset ? [.. Enumerable.Range(1, 4).Select(i => Id(session * 31 * i % Endpoints))] : default,
            AffinityKey = Kind == PlacementKind.Session ? ((ulong)session + 1) * 0x9E3779B97F4A7C15 : 0,
            Model = Kind == PlacementKind.Adapter ? Adapter(session) : null,
        };
    }
}
