using Mesh.Simulation.World;

namespace Mesh.Simulation.Baselines;

/// <summary>
/// What decides, in one region of a virtual world, where requests go. Every request that arrives must be sent or refused in the end, now or
/// from a later call. Deterministic: its only clock is the host's, its only randomness comes from a seed.
/// </summary>
internal interface IWorldRouter
{
    /// <summary>Time between two readings of an endpoint's gauges, in ms; 0 for a router that reads none.</summary>
    double ScrapeIntervalMs { get; }

    /// <summary>The same for an endpoint with waiting requests, or with four fifths of its KV cache in use; 0 where nothing is read more often then.</summary>
    double CrowdedScrapeIntervalMs => 0;

    /// <summary>The world begins. Called once, before anything else.</summary>
    void Start(IWorldHost host);

    /// <summary>A request has come.</summary>
    void OnArrival(WorldRequest request);

    /// <summary>The first token of a request's answer has come.</summary>
    void OnFirstByte(WorldRequest request);

    /// <summary>A request's answer is complete.</summary>
    void OnEnd(WorldRequest request);

    /// <summary>An endpoint's gauges were read.</summary>
    void OnScrape(int endpoint, in EngineGauges gauges);

    /// <summary>The moment asked for by <see cref="IWorldHost.WakeAt"/> has come.</summary>
    void OnWake();
}
