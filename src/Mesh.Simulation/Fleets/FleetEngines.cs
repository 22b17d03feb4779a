using Mesh.Simulation.Model;
using Mesh.Simulation.World;

namespace Mesh.Simulation.Fleets;

/// <summary>The engines of a fleet and the ends of their steps among the world's events. Not thread-safe.</summary>
internal sealed class FleetEngines(FleetTopology fleet, EventQueue events, VirtualClock clock)
{
    private readonly VllmEngine[] _engines = [.. fleet.Endpoints.Select(e => new VllmEngine(e.Engine))];
    private readonly int[] _runVersions = new int[fleet.Endpoints.Count];

    /// <summary>All of them, in the order of the topology.</summary>
    public ReadOnlySpan<VllmEngine> All => _engines;

    /// <summary>Tokens of a block, the same everywhere.</summary>
    public int BlockSize { get; } = fleet.Endpoints[0].Engine.BlockSize;

    /// <summary>An engine as it is now.</summary>
    public VllmEngine Now(int endpoint)
    {
        var engine = _engines[endpoint];
        engine.CatchUp(clock.NowMs);
        return engine;
    }

    /// <summary>Whether a request's prompt is too long for an engine.</summary>
    public bool IsTooLong(WorldRequest request, int endpoint) => request.PromptTokens >= _engines[endpoint].Options.MaxModelLen;

    /// <summary>A request reaches an engine that takes it.</summary>
    public SequenceHandle Add(WorldRequest request, int endpoint)
    {
        CutRun(endpoint);
        var engine = _engines[endpoint];
        var handle = engine.Add(
            new VllmRequest
            {
                PromptTokens = request.PromptTokens,
                OutputTokens = request.OutputTokens,
                EndsWith = FinishReason.Stop,
                BlockHashes = request.EngineBlocks,
                Tag = request,
            },
            clock.NowMs);
        if (!engine.IsStepping) StartStep(endpoint);
        return handle;
    }

    /// <summary>A request is given up that an engine has.</summary>
    public void Abort(SequenceHandle handle, int endpoint)
    {
        CutRun(endpoint);
        _engines[endpoint].Abort(handle);
    }

    /// <summary>A run of steps ends; one that was cut meanwhile has ended before.</summary>
    public void CompleteStep(int version, int endpoint, ISequenceSink sink)
    {
        if (version != _runVersions[endpoint]) return;
        _engines[endpoint].CompleteStep(sink);
        StartStep(endpoint);
    }

    private void CutRun(int endpoint)
    {
        var engine = _engines[endpoint];
        if (engine.CutRun(clock.NowMs)) events.Add(engine.StepEndMs, EventKind.StepEnd, ++_runVersions[endpoint], endpoint);
    }

    private void StartStep(int endpoint)
    {
        var engine = _engines[endpoint];
        if (!engine.PlanRun(clock.NowMs).IsIdle) events.Add(engine.StepEndMs, EventKind.StepEnd, ++_runVersions[endpoint], endpoint);
    }
}
