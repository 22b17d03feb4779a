namespace Mesh.Simulation.Model;

/// <summary>What the next step does and how long it takes.</summary>
/// <param name="DurationMs">Virtual milliseconds of the step.</param>
/// <param name="PrefillTokens">Prompt tokens that it computes.</param>
/// <param name="PrefillSequences">Sequences that those belong to.</param>
/// <param name="DecodeSequences">Sequences that decode one token.</param>
public readonly record struct StepPlan(double DurationMs, int PrefillTokens, int PrefillSequences, int DecodeSequences)
{
    /// <summary>Whether there is nothing to compute; such a plan starts no step.</summary>
    public bool IsIdle => PrefillSequences == 0 && DecodeSequences == 0;
}
