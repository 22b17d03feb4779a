namespace Mesh.Core.Leases;

/// <summary>
/// What a request was predicted to cost its endpoint when it was sent there. Whoever holds the lease keeps it, so that a state that takes the lease over
/// knows what is outstanding.
/// </summary>
/// <param name="PromptMs">Predicted time of the prompt's uncached part, in milliseconds, at least 0.</param>
/// <param name="BusyMs">Time from the sending until all prompts sent to the endpoint were predicted to be computed, this one included, in milliseconds, at least 0.</param>
public readonly record struct LeaseWork(float PromptMs, float BusyMs);
