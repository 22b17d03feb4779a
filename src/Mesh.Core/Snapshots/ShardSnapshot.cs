namespace Mesh.Core.Snapshots;

/// <summary>One shard of a pool that is divided.</summary>
/// <param name="Shard">Its number, from 0.</param>
/// <param name="Epoch">Epoch of its state; 0 while nothing has been heard of it.</param>
public sealed record ShardSnapshot(int Shard, long Epoch)
{
    /// <summary>Leases outstanding.</summary>
    public int Leases { get; init; }

    /// <summary>Endpoints that it places requests on.</summary>
    public int Endpoints { get; init; }

    /// <summary>Those of them that are healthy.</summary>
    public int HealthyEndpoints { get; init; }

    /// <summary>Requests that wait for room there.</summary>
    public int WaitingRequests { get; init; }

    /// <summary>Requests that went on to other shards since its start.</summary>
    public long Forwarded { get; init; }

    /// <summary>Requests that other shards have sent it since its start, refused ones included.</summary>
    public long Received { get; init; }
}
