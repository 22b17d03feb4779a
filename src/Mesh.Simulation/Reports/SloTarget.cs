namespace Mesh.Simulation.Reports;

/// <summary>What makes a request count as good.</summary>
/// <param name="TtftMs">Most time to first token, in ms.</param>
/// <param name="TpotMs">Most mean time per token after the first, in ms.</param>
internal sealed record SloTarget(double TtftMs = 2000, double TpotMs = 50);
