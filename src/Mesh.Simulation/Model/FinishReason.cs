namespace Mesh.Simulation.Model;

/// <summary>Why a sequence ended; the names are vLLM's <c>finished_reason</c> labels.</summary>
public enum FinishReason
{
    /// <summary>The answer came to its natural end or met a stop string.</summary>
    Stop,

    /// <summary>The cap on tokens was reached.</summary>
    Length,

    /// <summary>The caller gave it up.</summary>
    Abort,

    /// <summary>The engine failed.</summary>
    Error,
}
