namespace Mesh.Core.Scheduling;

/// <summary>A scorer and how much it counts.</summary>
/// <param name="Scorer">The rule.</param>
/// <param name="Weight">Factor of its scores, above 0.</param>
internal readonly record struct WeightedScorer(IEndpointScorer Scorer, double Weight);
