using Mesh.Core.Config;
using Mesh.Core.FlowControl;
using Mesh.Core.Leases;
using Mesh.Core.Routing;

namespace Mesh.Core.Tests.FlowControl;

/// <summary>A pool whose backend takes a given number of requests at a time, with short names for what waits.</summary>
internal sealed class FlowFixture
{
    public FlowFixture(int capacity, FlowControlSettings settings, BackendSettings? backend = null)
    {
        Config = ConfigOf(capacity, settings, backend);
        Pool = new PoolFixture(Config);
    }

    public PoolConfig Config { get; }

    public PoolFixture Pool { get; }

    public PoolState State => Pool.State;

    public int Waiting => State.Snapshot().Queue.Sum(b => b.Requests);

    public static FlowControlSettings Queue { get; } = new() { WhenFull = WhenFull.Queue, Order = QueueOrder.Fcfs };

    public static PoolConfig ConfigOf(int capacity, FlowControlSettings settings, BackendSettings? backend = null, int endpoints = 1)
    {
        var plain = PoolFixture.Config(endpoints);
        return plain with
        {
            FlowControl = settings,
            Backends = [plain.Backends[0] with { Settings = backend ?? new BackendSettings { Mode = BalancingMode.InFlight, MaxInFlightPerEndpoint = capacity } }],
        };
    }

    public RouteDecision Route(int priority = 0, string flow = "", int bytes = 10, string? model = null, int prompt = 100, GatewaySession? session = null) =>
        State.Route(Request(priority, flow, bytes, model, prompt, session));

    public RouteRequest Request(int priority = 0, string flow = "", int bytes = 10, string? model = null, int prompt = 100, GatewaySession? session = null) =>
        Pool.Request(model, prompt, session: session) with { Priority = priority, FairnessId = flow, BodyBytes = bytes };

    /// <summary>Routes and asserts that the request waits.</summary>
    public long Wait(int priority = 0, string flow = "", int bytes = 10, string? model = null, int prompt = 100, GatewaySession? session = null)
    {
        var decision = Route(priority, flow, bytes, model, prompt, session);
        Assert.Equal((RouteKind.Wait, DecisionReason.Waiting), (decision.Kind, decision.Reason));
        return decision.Ticket;
    }

    public void Complete(RouteDecision decision) => Assert.True(Pool.Complete(decision));

    /// <summary>What has been decided since the last call.</summary>
    public (long Ticket, RouteDecision Decision)[] Decided()
    {
        var decided = new List<(long, RouteDecision)>();
        while (State.TryTakeDecided(out var ticket, out var decision)) decided.Add((ticket, decision));
        return [.. decided];
    }

    /// <summary>The one decision since the last call.</summary>
    public (long Ticket, RouteDecision Decision) DecidedOne() => Assert.Single(Decided());
}
