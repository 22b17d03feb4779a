using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Health;
using Mesh.Core.Leases;
using Mesh.Core.Routing;
using Mesh.Core.Snapshots;

namespace Mesh.Scenarios;

/// <summary>The state machine itself.</summary>
internal sealed class PoolStateHost(PoolState state) : IScenarioHost
{
    private readonly Dictionary<long, int> _numbers = [];
    private readonly Dictionary<int, long> _tickets = [];

    public GatewaySession Session { get; } = new("scenario", 1);

    public static IScenarioHost Create(PoolConfig config, TimeProvider time, ulong seed, PoolStateOptions options) =>
        new PoolStateHost(new PoolState(config, time, seed, options));

    public RouteDecision? Route(int number, in RouteRequest request)
    {
        var decision = state.Route(in request);
        if (decision.Kind != RouteKind.Wait) return decision;
        _numbers.Add(decision.Ticket, number);
        _tickets.Add(number, decision.Ticket);
        return null;
    }

    public void Cancel(int number)
    {
        if (!_tickets.Remove(number, out var ticket)) throw new InvalidOperationException($"Request {number} does not wait.");
        _numbers.Remove(ticket);
        if (!state.CancelWait(ticket)) throw new InvalidOperationException($"Request {number} was decided without a word.");
    }

    public void Complete(LeaseId lease, in RequestOutcome outcome)
    {
        if (!state.Complete(lease, in outcome)) throw new InvalidOperationException($"Lease {lease} was lost.");
    }

    public void Apply(EndpointSample sample) => state.Apply(sample);

    public void Apply(ProbeResult probe) => state.Apply(probe);

    public void ApplyModels(EndpointId endpoint, ImmutableArray<string> models) => state.ApplyModels(endpoint, models);

    public void Reconfigure(PoolConfig config) => state.Reconfigure(config);

    public TimeSpan? Tick()
    {
        state.Heartbeat(Session);
        return state.Tick();
    }

    public void TakeDecided(List<(int Number, RouteDecision Decision)> into)
    {
        while (state.TryTakeDecided(out var ticket, out var decision))
        {
            _numbers.Remove(ticket, out var number);
            _tickets.Remove(number);
            into.Add((number, decision));
        }
    }

    public PoolSnapshot Snapshot() => state.Snapshot();

    public void Dispose()
    {
    }
}
