using Mesh.Core.StepTimes;
using Mesh.Simulation.Baselines;
using Mesh.Simulation.Fleets;
using Mesh.Simulation.Model;
using Mesh.Simulation.Traces;
using Mesh.Simulation.World;

namespace Mesh.Simulation.Tests.World;

/// <summary>Small worlds with round numbers, and an observer that keeps every end.</summary>
internal sealed class WorldFixture : IRunObserver
{
    /// <summary>Prefill takes 1 ms per 100 tokens, a decode step 10 ms, whatever the batch.</summary>
    public static readonly StepTimeTable RoundTable = new("round", [100, 2048], [1, 20.48], [1, 256], [1, 100_000], [10, 10, 10, 10]);

    public List<Served> Ends { get; } = [];

    public List<long> RefusedNumbers { get; } = [];

    public static WorldOptions Options(int endpoints = 1, double latencyMs = 0.5, int regions = 1, ulong seed = 1) => new()
    {
        Regions = regions,
        EndpointsPerRegion = endpoints,
        LatencyMs = latencyMs,
        Seed = seed,
        Engine = new VllmModelOptions { StepTimes = RoundTable, MaxModelLen = 100_000 },
    };

    public static TraceRequest Row(double arrivalMs, int prompt, int output, params long[] blocks) => new()
    {
        ArrivalMs = arrivalMs,
        PromptTokens = prompt,
        OutputTokens = output,
        Blocks = blocks,
        KnownTokens = blocks.Length == 0 ? 0 : prompt,
        Session = 1 + (ulong)arrivalMs,
    };

    public static string DataFile(string name) => Path.Combine(AppContext.BaseDirectory, "Traces", "Data", name);

    public FleetWorld Run(WorldOptions options, Func<int, IWorldRouter> router, params TraceRequest[] rows)
    {
        var fleet = FleetTopology.Equal(options);
        var world = new FleetWorld(fleet, FleetView.OwnRegion(fleet), router, Timeout.InfiniteTimeSpan, this);
        world.Run(rows);
        return world;
    }

    public void OnServed(WorldRequest request, double nowMs) => Ends.Add(new Served(
        request.Number, request.Region, request.Endpoint, request.ArrivedMs, request.FirstByteMs - request.ArrivedMs, nowMs - request.ArrivedMs, request.CachedTokens));

    public void OnRefused(WorldRequest request, double nowMs) => RefusedNumbers.Add(request.Number);

    internal readonly record struct Served(long Number, int Region, int Endpoint, double ArrivedMs, double TtftMs, double E2eMs, int CachedTokens);
}
