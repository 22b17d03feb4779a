using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.FlowControl;
using Mesh.Core.Leases;
using Mesh.Core.Regions.Reports;
using Mesh.Core.Routing;
using Mesh.Core.Snapshots;
using Mesh.Core.SpillOver;
using Mesh.Testing;

namespace Mesh.Core.Tests.Regions;

/// <summary>A home region whose peers are made up of reports that a test writes.</summary>
internal sealed class HomeRegion
{
    public static readonly GatewaySession Session = new("gateway", 1);
    private readonly Dictionary<string, long> _sequences = [];

    public HomeRegion(BackendSettings? settings = null, int endpoints = 2, FlowControlSettings? flow = null, string profile = "mesh", params string[] peers)
    {
        Config = PoolFixture.Config(endpoints) with
        {
            FlowControl = flow ?? new FlowControlSettings(),
            Scheduling = new SchedulingConfig { Profile = profile },
            Backends = [PoolFixture.Config(endpoints).Backends[0] with { Region = "home", Settings = settings ?? new BackendSettings() }],
        };
        State = new PoolState(Config, Time, 1, new PoolStateOptions { Epoch = 7, Locality = new Locality { Region = "home" } });
        foreach (var endpoint in Config.Backends[0].Endpoints) State.ApplyHealth(endpoint.Id, EndpointHealth.Healthy);
        if (peers.Length == 0) peers = ["near", "far"];
        State.SetPeers(peers);
        State.ApplyRoundTrip("near", TimeSpan.FromMilliseconds(20));
        State.ApplyRoundTrip("far", TimeSpan.FromMilliseconds(150));
    }

    public ManualTimeProvider Time { get; } = new();

    public PoolConfig Config { get; }

    public PoolState State { get; }

    public static PoolReport Part(double grant = 100, double waitMs = 0, BackendPreference preference = BackendPreference.Default, double? target = null, double load = 0, int healthy = 2) => new()
    {
        Pool = PoolFixture.PoolName,
        Epoch = 1,
        ReceivedEpoch = 7,
        Tiers = [new TierReport(preference, 2, healthy) { Spare = grant, Grant = grant, TargetCapacity = target, Load = load, Fullness = load / target }],
        MarginalWaitMs = waitMs,
        MeanWaitMs = waitMs,
        WaitLadderMs = [(float)waitMs, (float)waitMs],
    };

    /// <summary>Three reports in a row: a peer that is fresh.</summary>
    public void Report(string region, PoolReport part)
    {
        for (var i = 0; i < 3; i++) ReportOnce(region, part);
    }

    public bool ReportOnce(string region, PoolReport? part) => State.ApplyPeer(
        new RegionReport { Region = region, Instance = 1, Sequence = _sequences[region] = _sequences.GetValueOrDefault(region) + 1, HeardAge = TimeSpan.Zero }, part);

    public RouteDecision Route(int prompt = 1000, int priority = 0, params string[] excluded) => State.Route(Request(prompt, priority) with { ExcludedRegions = excluded.Length == 0 ? default : [.. excluded] });

    public static RouteRequest Request(int prompt = 1000, int priority = 0) => new()
    {
        RequestId = "r",
        Pool = PoolFixture.PoolName,
        Session = Session,
        FairnessId = "",
        PromptTokens = prompt,
        IsStreaming = true,
        Priority = priority,
    };

    public PeerSnapshot Peer(string region) => State.Snapshot().Peers.Single(p => p.Region == region);
}
