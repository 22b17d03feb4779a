using Mesh.Simulation.Model;

namespace Mesh.Simulation.Server;

/// <summary>Writes what the engine brings forth as one API answers it, whole or as a stream.</summary>
internal interface IAnswerWriter
{
    /// <summary>Id of the answer.</summary>
    string Id { get; }

    /// <summary>The whole answer, when everything is finished.</summary>
    void WriteWhole(PooledBuffer buffer, Generation generation);

    /// <summary>What a stream begins with, if anything.</summary>
    void WriteStart(PooledBuffer buffer, Generation generation);

    /// <summary>The events of one more token.</summary>
    /// <param name="buffer">Takes the bytes.</param>
    /// <param name="answer">Answer that the token belongs to.</param>
    /// <param name="text">The token's text.</param>
    /// <param name="reason">Why the answer ends with it; null when it goes on.</param>
    /// <param name="isFirst">True for the answer's first token.</param>
    void WriteToken(PooledBuffer buffer, Answer answer, string text, FinishReason? reason, bool isFirst);

    /// <summary>What a stream ends with.</summary>
    void WriteEnd(PooledBuffer buffer, Generation generation);
}
