namespace Mesh.Engine.KvEvents.Subscription;

/// <summary>How far what the sink was told can be relied upon.</summary>
public enum KvKnowledge
{
    /// <summary>Nothing is told: no connection yet, none for too long, or events that cannot be read. Routing history has to do.</summary>
    History,

    /// <summary>The connection is down or batches are being replayed: what was told is being brought up to date, history fills in.</summary>
    Degraded,

    /// <summary>Every batch up to the latest one has been told.</summary>
    Exact,
}
