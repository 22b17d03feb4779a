using System.Globalization;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.FlowControl;
using Mesh.Core.StepTimes;
using Mesh.Simulation.Model;
using Mesh.Simulation.Traces;
using Mesh.Simulation.World;

namespace Mesh.Simulation.Regions;

/// <summary>A world of regions: their endpoints, the links between them and how they tell each other of their load.</summary>
internal sealed record RegionWorldOptions
{
    /// <summary>Regions, 1–16.</summary>
    public int Regions { get; init; } = 3;

    /// <summary>Endpoints of each region, 1–1,000.</summary>
    public int EndpointsPerRegion { get; init; } = 8;

    /// <summary>Every endpoint's engine.</summary>
    public VllmModelOptions Engine { get; init; } = new() { MaxModelLen = WorldOptions.LongestPrompt, StepTimes = H100Llama8B.Table.WithLongPrompts(WorldOptions.LongestPrompt) };

    /// <summary>Round trips in milliseconds: between regions 0 and 1, 0 and 2, 1 and 2, and so on; the last holds for all that are missing.</summary>
    public double[] RoundTripMs { get; init; } = [80, 150, 150];

    /// <summary>Share of the round trip by which a message may be late, 0–1.</summary>
    public double Jitter { get; init; } = 0.05;

    /// <summary>Time between reports, in milliseconds.</summary>
    public double ReportIntervalMs { get; init; } = 100;

    /// <summary>False: every region is alone.</summary>
    public bool HasPeers { get; init; } = true;

    /// <summary>Policy of each region's backend, by number; the last holds for all that are missing.</summary>
    public BackendSettings[] Settings { get; init; } = [new()];

    /// <summary>What happens where all is full.</summary>
    public FlowControlSettings FlowControl { get; init; } = new();

    /// <summary>How endpoints are chosen.</summary>
    public SchedulingConfig Scheduling { get; init; } = new();

    /// <summary>Whose flow a request belongs to; null: all are of one.</summary>
    public Func<TraceRequest, string>? TenantOf { get; init; }

    /// <summary>Endpoints' gauges are read every 200 ms.</summary>
    public bool Scrapes { get; init; } = true;

    /// <summary>Invariants are checked after every event; costs a copy of a pool's state each time.</summary>
    public bool IsJudged { get; init; }

    /// <summary>Decides everything random.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Name of a region.</summary>
    public static string NameOf(int region) => string.Create(CultureInfo.InvariantCulture, $"region-{region}");

    /// <summary>Id of an endpoint.</summary>
    public static EndpointId EndpointOf(int region, int endpoint) => new(string.Create(CultureInfo.InvariantCulture, $"10.{region}.{endpoint >> 8}.{endpoint & 255}:8000"));

    /// <summary>Round trip between two regions.</summary>
    public double RoundTripBetween(int a, int b)
    {
        if (a == b) return 0;
        var (low, high) = (Math.Min(a, b), Math.Max(a, b));
        var index = 0;
        for (var i = 0; i < low; i++) index += Regions - 1 - i;
        index += high - low - 1;
        return RoundTripMs[Math.Min(index, RoundTripMs.Length - 1)];
    }

    /// <summary>Configuration of one region's pool.</summary>
    public PoolConfig ConfigOf(int region) => new()
    {
        Id = new PoolId("default", "pool"),
        Scheduling = Scheduling with { StepTimes = Engine.StepTimes },
        FlowControl = FlowControl,
        Timeout = TimeSpan.FromHours(10),
        Backends =
        [
            new BackendConfig
            {
                Id = new BackendId($"cluster-{region}", $"{NameOf(region)}-a", 8000),
                Region = NameOf(region),
                Settings = Settings[Math.Min(region, Settings.Length - 1)],
                Endpoints = [.. Enumerable.Range(0, EndpointsPerRegion).Select(e => EndpointOf(region, e)).Order().Select(e => new EndpointConfig { Id = e, PodName = e.Address })],
            },
        ],
    };
}
