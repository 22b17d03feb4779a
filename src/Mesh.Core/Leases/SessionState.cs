namespace Mesh.Core.Leases;

/// <summary>One gateway session as a pool sees it: when it was last heard of and the chain of its leases.</summary>
internal sealed class SessionState(GatewaySession id)
{
    public GatewaySession Id { get; } = id;

    /// <summary>Timestamp of the last sign of life.</summary>
    public long LastSeen { get; set; }

    /// <summary>First slot of the session's chain in the lease table; -1 when it holds none.</summary>
    public int FirstSlot { get; set; } = LeaseTable.NoSlot;

    /// <summary>
    /// True once it has said that it lives, or what it holds. A request alone does not count: it may come from a session that was forgotten,
    /// or that another state served, with leases that are not counted here.
    /// </summary>
    public bool IsGreeted { get; set; }

    /// <summary>Leases held.</summary>
    public int LeaseCount { get; set; }
}
