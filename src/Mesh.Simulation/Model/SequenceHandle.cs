namespace Mesh.Simulation.Model;

/// <summary>Names one sequence of one engine. A handle of a sequence that has ended names nothing, even when its slot is used again.</summary>
/// <param name="Slot">Place in the engine's table.</param>
/// <param name="Version">Use count of that place.</param>
public readonly record struct SequenceHandle(int Slot, int Version);
