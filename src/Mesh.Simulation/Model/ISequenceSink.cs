namespace Mesh.Simulation.Model;

/// <summary>
/// Receives what a completed step brought forth, in the order of the running set. A sink may add requests to the engine from inside an
/// event; it must not abort or step it.
/// </summary>
public interface ISequenceSink
{
    /// <summary>Whether <see cref="OnToken"/> is wanted. A virtual world that only counts first tokens and ends says no and saves the calls.</summary>
    bool WantsEveryToken { get; }

    /// <summary>The first token of an answer.</summary>
    void OnFirstToken(in SequenceProgress progress);

    /// <summary>A further token of an answer.</summary>
    void OnToken(in SequenceProgress progress);

    /// <summary>The answer is complete; follows the event of its last token. Its handle names nothing any more.</summary>
    void OnFinished(in SequenceProgress progress, FinishReason reason);
}

/// <summary>State of one sequence at the end of a step.</summary>
/// <param name="Handle">The sequence.</param>
/// <param name="Tag">What the request carried.</param>
/// <param name="GeneratedTokens">Tokens of the answer so far.</param>
/// <param name="CachedTokens">Prompt tokens found in the prefix cache when it was first admitted.</param>
/// <param name="TimeMs">Virtual time of the step's end.</param>
public readonly record struct SequenceProgress(SequenceHandle Handle, object? Tag, int GeneratedTokens, int CachedTokens, double TimeMs);
