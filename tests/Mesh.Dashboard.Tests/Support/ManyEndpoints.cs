using System.Collections.Immutable;
using System.Globalization;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Leases;
using Mesh.Core.Routing;
using Mesh.Core.Snapshots;
using Mesh.Engine;
using Mesh.Engine.Federation;

namespace Mesh.Dashboard.Tests.Support;

/// <summary>An engine with as many endpoints as a test wants, all of which change from reading to reading as they do under load. Places nothing.</summary>
internal sealed class ManyEndpoints(int count) : IMeshEngine, IRouter
{
    public const int PerBackend = 50;

    private static readonly PoolId Pool = new("default", "big");

    private readonly BackendId[] _backends =
        [.. Enumerable.Range(0, count / PerBackend).Select(i => new BackendId(string.Create(CultureInfo.InvariantCulture, $"cluster-{i:00}"), $"region-{i % 4}-a", 8000))];

    private readonly EndpointId[][] _addresses =
    [
        .. Enumerable.Range(0, count / PerBackend).Select(i => Enumerable.Range(0, PerBackend)
            .Select(j => new EndpointId(string.Create(CultureInfo.InvariantCulture, $"10.{i}.0.{j + 1}:8000"))).ToArray()),
    ];

    private long _turn;

    public IRouter Router => this;

    public ImmutableArray<MachineSnapshot> Machines() => InSilos;

    public GatewaySession Session { get; } = new("gateway", 1);

    /// <summary>Links to peer regions that it tells of.</summary>
    public ImmutableArray<PeerLinkSnapshot> Links { get; init; } = [];

    /// <summary>What the pool knows of peer regions.</summary>
    public ImmutableArray<PeerSnapshot> PoolPeers { get; init; } = [];

    /// <summary>State machines that it says run elsewhere.</summary>
    public ImmutableArray<MachineSnapshot> InSilos { get; init; } = [];

    /// <summary>The configuration that goes with it.</summary>
    public MeshConfig Config => new()
    {
        Version = 1,
        Clusters = [.. Backends().Select(b => new ClusterConfig { Name = b.Cluster, Region = RegionOf(b), Zone = b.Zone })],
        Pools = [new PoolConfig { Id = Pool, Backends = [.. Backends().Select((b, i) => new BackendConfig { Id = b, Region = RegionOf(b), Endpoints = [.. Addresses(i).Select(a => new EndpointConfig { Id = a, PodName = PodOf(a) })] })] }],
        Gateways =
        [
            new GatewayConfig { Namespace = "default", Name = "gw", Listeners = [new ListenerConfig("http", ListenerProtocol.Http, 80, null)] },
        ],
    };

    public void Reconfigure(MeshConfig config)
    {
    }

    public ImmutableArray<PoolSnapshot> Snapshot()
    {
        var turn = Interlocked.Increment(ref _turn);
        return
        [
            new PoolSnapshot
            {
                Id = Pool,
                Leases = count,
                Peers = PoolPeers,
                Backends = [.. Backends().Select((b, i) => new BackendSnapshot
                {
                    Id = b,
                    Region = RegionOf(b),
                    HealthyEndpoints = PerBackend,
                    RequestsPerSecond = 40 + (turn + i) % 7,
                    TargetRatePerSecond = 100,
                    Fullness = 0.4 + (turn + i) % 7 / 100.0,
                    Endpoints = [.. Addresses(i).Select((a, j) => Endpoint(a, turn * 31 + i * 7 + j))],
                })],
            },
        ];
    }

    public ImmutableArray<PeerLinkSnapshot> Peers() => Links;

    public ValueTask<RouteDecision> RouteAsync(RouteRequest request, CancellationToken cancellationToken) => ValueTask.FromResult(RouteDecision.Refuse(DecisionReason.NoReadyEndpoint));

    public void ReportFirstByte(PoolId pool, LeaseId lease)
    {
    }

    public void Complete(PoolId pool, LeaseId lease, in RequestOutcome outcome)
    {
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static EndpointSnapshot Endpoint(EndpointId address, long phase) => new()
    {
        Id = address,
        PodName = PodOf(address),
        Health = EndpointHealth.Healthy,
        InFlightRequests = (int)(phase % 23),
        InFlightTokens = phase % 23 * 811 + phase % 5,
        PredictedWaitMs = phase % 11,
        SampleAge = TimeSpan.FromMilliseconds(phase % 200),
        LastSample = new EndpointSample
        {
            Endpoint = address, Timestamp = 0, KvUtilizationRatio = phase % 71 / 100.0, RunningRequests = (int)(phase % 23), WaitingRequests = 0, PrefixCacheQueriedTokens = 1000 + phase,
            PrefixCacheHitTokens = 700,
        },
    };

    private static string PodOf(EndpointId address) => $"vllm-{address.Address.Replace('.', '-').Replace(':', '-')}";

    private static string RegionOf(BackendId backend) => backend.Zone[..^2];

    private BackendId[] Backends() => _backends;

    private EndpointId[] Addresses(int backend) => _addresses[backend];
}
