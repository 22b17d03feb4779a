namespace Mesh.Engine.KvEvents.Subscription;

/// <summary>What is to be done with a batch.</summary>
internal enum SequenceVerdict
{
    /// <summary>It is the next one: give it to the sink.</summary>
    Apply,

    /// <summary>The sink has had it.</summary>
    Drop,

    /// <summary>Earlier ones are missing and being replayed: keep it for after that.</summary>
    Hold,

    /// <summary>The same, and what is held already comes from a publisher that is no more: let go of it first.</summary>
    HoldAfterClearing,

    /// <summary>Of a replayed batch: this replay is of no more use; end it. Another one is asked for where it makes sense.</summary>
    Stop,
}
