namespace Mesh.Simulation.World;

/// <summary>Gauges of one engine as its metrics page shows them.</summary>
/// <param name="Running">Requests in the batch.</param>
/// <param name="Waiting">Requests in the queue.</param>
/// <param name="KvUtilizationRatio">Share of KV blocks in use, 0–1.</param>
internal readonly record struct EngineGauges(int Running, int Waiting, double KvUtilizationRatio);
