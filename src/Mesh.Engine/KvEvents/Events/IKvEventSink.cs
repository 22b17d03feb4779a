using Mesh.Engine.KvEvents.Subscription;

namespace Mesh.Engine.KvEvents.Events;

/// <summary>
/// Receives what one model server's cache holds, in the order in which it was published, each batch exactly once. Calls of one
/// subscription never overlap, but come from different threads. A call should be short: the subscription waits for it. It must not throw.
/// </summary>
public interface IKvEventSink
{
    /// <summary>Blocks were stored.</summary>
    void OnBlockStored(in KvBlockStored stored);

    /// <summary>Blocks were evicted. They may be unknown to the sink, where its knowledge began later than they were stored.</summary>
    void OnBlockRemoved(in KvBlockRemoved removed);

    /// <summary>The server emptied its whole cache.</summary>
    void OnAllCleared();

    /// <summary>
    /// What was told so far no longer holds or has a hole: forget all of it. What comes after this call holds by itself.
    /// </summary>
    void OnReset(KvResetReason reason);

    /// <summary>How far what was told can be relied upon from now on.</summary>
    /// <param name="knowledge">The state.</param>
    /// <param name="isComplete">True if all since the publisher's first batch was told.</param>
    void OnStateChanged(KvKnowledge knowledge, bool isComplete)
    {
    }
}
