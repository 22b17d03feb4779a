namespace Mesh.Simulation.Server;

/// <summary>One name in the model list.</summary>
/// <param name="Name">What a request's <c>model</c> says; not empty.</param>
/// <param name="Parent">Base model when this is a LoRA adapter; null for a base model.</param>
public sealed record SimulatedModel(string Name, string? Parent = null);
