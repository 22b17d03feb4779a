namespace Mesh.Core.Config;

/// <summary>One InferenceObjective.</summary>
/// <param name="Namespace">Namespace.</param>
/// <param name="Name">Name, as header <c>x-gateway-inference-objective</c> carries it.</param>
/// <param name="Priority">Higher is served first; negative may be shed.</param>
/// <param name="PoolName">Pool of the same namespace that it is meant for.</param>
public sealed record ObjectiveConfig(string Namespace, string Name, int Priority, string PoolName);
