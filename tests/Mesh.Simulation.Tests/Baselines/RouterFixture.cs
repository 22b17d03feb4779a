using Mesh.Simulation.Baselines;
using Mesh.Simulation.Model;
using Mesh.Simulation.Tests.World;
using Mesh.Simulation.World;

namespace Mesh.Simulation.Tests.Baselines;

/// <summary>A region by hand: a router, engines that are never stepped, and a record of what was sent where.</summary>
internal sealed class RouterFixture : IWorldHost
{
    private readonly VllmEngine[] _engines;
    private long _requests;

    public RouterFixture(IWorldRouter router, int endpoints = 4)
    {
        Router = router;
        _engines = new VllmEngine[endpoints];
        for (var i = 0; i < endpoints; i++) _engines[i] = new VllmEngine(WorldFixture.Options().Engine);
        router.Start(this);
    }

    public IWorldRouter Router { get; }

    public VirtualClock Clock { get; } = new();

    public int Endpoints => _engines.Length;

    public double LatencyMs => 0.5;

    public double WakeMs { get; private set; } = double.PositiveInfinity;

    public VllmEngine Engine(int endpoint) => _engines[endpoint];

    public void Send(WorldRequest request, int endpoint)
    {
        request.Endpoint = endpoint;
        request.SentMs = Clock.NowMs;
        request.Stage = RequestStage.Sent;
    }

    public void Refuse(WorldRequest request) => request.Stage = RequestStage.None;

    public void WakeAt(double timeMs) => WakeMs = timeMs;

    /// <summary>A request comes; returns it with the endpoint that it was sent to, or −1.</summary>
    public WorldRequest Arrive(int prompt = 1024, ulong session = 1, params long[] blocks)
    {
        var request = new WorldRequest((int)_requests);
        request.Begin(_requests++, 0, Clock.NowMs, WorldFixture.Row(Clock.NowMs, prompt, 10, blocks) with { Session = session }, 16);
        Router.OnArrival(request);
        return request;
    }

    public void FirstByte(WorldRequest request)
    {
        request.FirstByteMs = Clock.NowMs;
        Router.OnFirstByte(request);
    }

    public void End(WorldRequest request) => Router.OnEnd(request);

    /// <summary>An endpoint computes a prompt, so that its cache holds it, and answers one token.</summary>
    public void Fill(int endpoint, int prompt, params long[] blocks)
    {
        var request = new WorldRequest(0);
        request.Begin(0, 0, 0, WorldFixture.Row(0, prompt, 1, blocks), 16);
        var engine = _engines[endpoint];
        engine.Add(new VllmRequest { PromptTokens = prompt, OutputTokens = 1, BlockHashes = request.EngineBlocks, Tag = request }, engine.NowMs);
        while (!engine.PlanStep(engine.NowMs).IsIdle) engine.CompleteStep(new Nobody());
    }

    private sealed class Nobody : ISequenceSink
    {
        public bool WantsEveryToken => false;

        public void OnFirstToken(in SequenceProgress progress)
        {
        }

        public void OnToken(in SequenceProgress progress)
        {
        }

        public void OnFinished(in SequenceProgress progress, FinishReason reason)
        {
        }
    }
}
