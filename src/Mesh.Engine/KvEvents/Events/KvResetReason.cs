namespace Mesh.Engine.KvEvents.Events;

/// <summary>Why a sink was told to forget what it knew.</summary>
public enum KvResetReason
{
    /// <summary>The publisher is another process than before: its cache is another one.</summary>
    PublisherRestarted,

    /// <summary>The batches missed are older than what the publisher keeps for replay.</summary>
    GapTooOld,

    /// <summary>Batches were missed and the publisher does not give them: no replay address, or a replay without them.</summary>
    GapNotReplayed,

    /// <summary>The replay address cannot be reached or does not answer.</summary>
    ReplayUnavailable,

    /// <summary>The connection was lost, and without a replay address nobody knows what was missed.</summary>
    Reconnected,

    /// <summary>The publisher has been out of reach for too long.</summary>
    Unreachable,

    /// <summary>A batch could not be read.</summary>
    Undecodable,
}
