namespace Mesh.Engine.KvEvents.Events;

/// <summary>Why a batch could not be read.</summary>
internal enum KvDecodeError
{
    None,

    /// <summary>The payload is not MessagePack, or ends too early.</summary>
    NotMessagePack,

    /// <summary>The payload is neither of the two shapes of a batch.</summary>
    NotABatch,

    /// <summary>An event of a known type lacks a field that it needs, or has it in another type.</summary>
    BadEvent,

    /// <summary>An event with more blocks or tokens than the bounds.</summary>
    TooLarge,
}

/// <summary>What decoding one batch came to. On an error the events before it have been given to the sink.</summary>
/// <param name="Error">None, or why it ended early.</param>
/// <param name="Position">Where in the payload, in bytes.</param>
/// <param name="Stored">Events of each kind.</param>
/// <param name="Removed">Events of each kind.</param>
/// <param name="Cleared">Events of each kind.</param>
/// <param name="Unknown">Events of a type not known here, skipped.</param>
/// <param name="DataParallelRank">The rank that the batch names, or null.</param>
internal readonly record struct KvDecodeResult(
    KvDecodeError Error, int Position, int Stored, int Removed, int Cleared, int Unknown, int? DataParallelRank)
{
    /// <summary>Events of all kinds.</summary>
    public int Events => Stored + Removed + Cleared + Unknown;
}
