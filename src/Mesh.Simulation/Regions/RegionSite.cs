using Mesh.Core.Endpoints;
using Mesh.Core.Leases;
using Mesh.Core.PrefixCache;
using Mesh.Core.Regions;
using Mesh.Core.Regions.Reports;
using Mesh.Core.Routing;
using Mesh.Core.SpillOver;
using Mesh.Simulation.Traces;
using Mesh.Simulation.World;

namespace Mesh.Simulation.Regions;

/// <summary>One region's process: its gateway and its pool, which a crash ends and a start makes anew.</summary>
internal sealed class RegionSite
{
    private readonly RegionWorldOptions _options;
    private readonly VirtualClock _clock;
    private readonly IRegionGate _gate;
    private readonly Dictionary<string, int> _forwarded = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _hosted = new(StringComparer.Ordinal);
    private readonly long[] _sequences;
    private readonly double[] _heardMs;

    public RegionSite(int number, RegionWorldOptions options, VirtualClock clock, IRegionGate gate)
    {
        Number = number;
        _options = options;
        _clock = clock;
        _gate = gate;
        _sequences = new long[options.Regions];
        _heardMs = new double[options.Regions];
        Pool = null!;
        Start();
    }

    public int Number { get; }

    public string Name => RegionWorldOptions.NameOf(Number);

    public PoolState Pool { get; private set; }

    /// <summary>Starts so far.</summary>
    public int Run { get; private set; }

    public bool IsAlive { get; private set; }

    /// <summary>False while its reports are held back.</summary>
    public bool IsSilent { get; set; }

    public GatewaySession Session => new(Name, Run);

    /// <summary>Own requests that wait, and those of peers, by ticket.</summary>
    public Dictionary<long, RegionRequest> Waiting { get; } = [];

    /// <inheritdoc cref="Waiting"/>
    public Dictionary<long, Serving> WaitingServings { get; } = [];

    /// <summary>Leases that requests hold here.</summary>
    public int OpenLeases { get; set; }

    public int WakeVersion { get; set; }

    public double WakeMs { get; set; } = double.PositiveInfinity;

    public double ReportedMs { get; set; } = double.NegativeInfinity;

    /// <summary>Requests with a peer.</summary>
    public int ForwardedTo(string region) => _forwarded.GetValueOrDefault(region);

    public void CountForwarded(int region, int change) => _forwarded[RegionWorldOptions.NameOf(region)] = ForwardedTo(RegionWorldOptions.NameOf(region)) + change;

    /// <summary>Epoch of its pool: rises with every start of the process, and of the pool alone.</summary>
    public int Epoch { get; private set; }

    /// <summary>Requests of a peer that endpoints here work on.</summary>
    public int HostedFor(string region) => _hosted.GetValueOrDefault(region);

    public void CountHosted(int region, int change) => _hosted[RegionWorldOptions.NameOf(region)] = HostedFor(RegionWorldOptions.NameOf(region)) + change;

    /// <summary>Starts the process: nothing is known, nothing in flight.</summary>
    public void Start()
    {
        Run++;
        IsAlive = true;
        (OpenLeases, WakeMs) = (0, double.PositiveInfinity);
        Waiting.Clear();
        WaitingServings.Clear();
        _forwarded.Clear();
        _hosted.Clear();
        Array.Clear(_sequences);
        Array.Fill(_heardMs, double.NaN);
        StartPool();
    }

    /// <summary>Makes the pool anew, as another host of it would: it knows nothing of what its gateway holds.</summary>
    public void StartPool()
    {
        Epoch++;
        WakeMs = double.PositiveInfinity;
        var options = new PoolStateOptions
        {
            Epoch = Epoch,
            Locality = new Locality { Region = Name },
            Regions = new RegionOptions { ReportInterval = TimeSpan.FromMilliseconds(_options.ReportIntervalMs) },
            PrefixLayout = PrefixLayout.Uniform(TraceRequest.BlockTokens, WorldOptions.LongestPrompt / TraceRequest.BlockTokens),
            MaxPrefixBlocks = 1 << 18,
        };
        Pool = new PoolState(_options.ConfigOf(Number), _clock, _options.Seed + (ulong)Number, options);
        for (var e = 0; e < _options.EndpointsPerRegion; e++) Pool.ApplyHealth(RegionWorldOptions.EndpointOf(Number, e), EndpointHealth.Healthy);
        if (!_options.HasPeers) return;
        string[] peers = [.. Enumerable.Range(0, _options.Regions).Select(RegionWorldOptions.NameOf)];
        Pool.SetPeers(peers);
        for (var r = 0; r < _options.Regions; r++) Pool.ApplyRoundTrip(RegionWorldOptions.NameOf(r), TimeSpan.FromMilliseconds(_options.RoundTripBetween(Number, r)));
    }

    /// <summary>Ends it as kill -9 does.</summary>
    public void Crash() => IsAlive = false;

    /// <summary>A request as this region's pool is asked to place it.</summary>
    public RouteRequest AsRouted(RegionRequest request)
    {
        if (request.Chain.IsEmpty && request.Row.Blocks.Length > 0)
        {
            var blocks = request.Row.Blocks.Span;
            // A prompt's last block is hashed when it is full only.
            var chain = new ulong[Math.Min(blocks.Length, request.Row.PromptTokens / TraceRequest.BlockTokens)];
            for (var i = 0; i < chain.Length; i++) chain[i] = BlockHash.OfTraceBlock(blocks[i]);
            request.Chain = chain;
        }

        return new RouteRequest
        {
            RequestId = "",
            Pool = Pool.Id,
            Session = Session,
            FairnessId = _options.TenantOf?.Invoke(request.Row) ?? "",
            Priority = request.Priority,
            PromptTokens = request.Row.PromptTokens,
            IsStreaming = true,
            PrefixChain = request.Chain,
        };
    }

    /// <summary>The report to a peer, made now.</summary>
    public RegionReport ReportTo(int peer) => new()
    {
        Region = Name,
        Instance = Run,
        Sequence = ++_sequences[peer],
        SentAt = TimeSpan.FromMilliseconds(_clock.NowMs),
        HeardAge = double.IsNaN(_heardMs[peer]) ? null : TimeSpan.FromMilliseconds(_clock.NowMs - _heardMs[peer]),
        Pools = [_gate.Report(Pool, RegionWorldOptions.NameOf(peer))],
    };

    /// <summary>Takes a peer's report.</summary>
    public void Hear(int peer, RegionReport report)
    {
        _heardMs[peer] = _clock.NowMs;
        _gate.Apply(Pool, report);
    }
}
