using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Health;
using Mesh.Core.Leases;
using Mesh.Core.Routing;
using Mesh.Core.SpillOver;

namespace Mesh.Regions.Tests.Support;

/// <summary>The state of a pool with many endpoints, and requests for it.</summary>
internal static class BusyPool
{
    /// <summary>A pool of a region that knows peers, all of its endpoints healthy.</summary>
    public static PoolState Make(string region, int endpoints, TimeProvider time, params string[] peers)
    {
        var config = new PoolConfig
        {
            Id = new PoolId("ns", "pool"),
            Backends =
            [
                new BackendConfig
                {
                    Id = new BackendId("c-" + region, "z", 8000), Region = region,
                    Endpoints = [.. Enumerable.Range(0, endpoints).Select(i => new EndpointConfig { Id = new EndpointId($"10.0.{i / 250}.{i % 250}:8000"), PodName = $"pod-{i}" })],
                    Settings = new BackendSettings { Mode = BalancingMode.InFlight, MaxInFlightPerEndpoint = 8 },
                },
            ],
        };
        var state = new PoolState(config, time, 1, new PoolStateOptions { Locality = new Locality { Region = region } });
        state.SetPeers(peers is [] ? ["a", "b"] : peers);
        foreach (var endpoint in config.Backends[0].Endpoints) state.Apply(new ProbeResult(endpoint.Id, time.GetTimestamp(), true));
        foreach (var endpoint in config.Backends[0].Endpoints) state.Apply(new ProbeResult(endpoint.Id, time.GetTimestamp(), true));
        return state;
    }

    /// <summary>Some requests come, and a quarter of them go.</summary>
    public static void Send(PoolState state, int requests, long sequence)
    {
        var session = new GatewaySession("g", 1);
        state.Heartbeat(session);
        for (var i = 0; i < requests; i++)
        {
            var decision = state.Route(new RouteRequest { RequestId = $"r{sequence}-{i}", Pool = new PoolId("ns", "pool"), Session = session, PromptTokens = 300, FairnessId = "" });
            if (i % 4 == 0 && decision.Kind == RouteKind.Send) state.Complete(decision.Lease, new RequestOutcome(OutcomeKind.Success, 300, null, 100));
        }
    }
}
