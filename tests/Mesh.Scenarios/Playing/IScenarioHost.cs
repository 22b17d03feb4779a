using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Health;
using Mesh.Core.Leases;
using Mesh.Core.Routing;
using Mesh.Core.Snapshots;

namespace Mesh.Scenarios;

/// <summary>
/// Something that runs one pool: the state machine itself, an engine around it, a grain. The player makes one call at a time and asks after
/// each what has been decided; the host's clock is the player's.
/// </summary>
public interface IScenarioHost : IDisposable
{
    /// <summary>Session of the gateway that asks.</summary>
    GatewaySession Session { get; }

    /// <summary>Places a request; null when it waits.</summary>
    /// <param name="number">The request's number in the scenario.</param>
    /// <param name="request">The request.</param>
    RouteDecision? Route(int number, in RouteRequest request);

    /// <summary>The client of a waiting request leaves.</summary>
    void Cancel(int number);

    void Complete(LeaseId lease, in RequestOutcome outcome);

    void Apply(EndpointSample sample);

    void Apply(ProbeResult probe);

    void ApplyModels(EndpointId endpoint, ImmutableArray<string> models);

    void Reconfigure(PoolConfig config);

    /// <summary>Keeps the session alive and lets time pass; returns when that makes sense again.</summary>
    TimeSpan? Tick();

    /// <summary>Adds the decisions on waiting requests since the last call, in any order.</summary>
    void TakeDecided(List<(int Number, RouteDecision Decision)> into);

    PoolSnapshot Snapshot();
}
