namespace Mesh.Core.Sharding;

/// <summary>How a shard stands with one peer region.</summary>
/// <param name="Account">Epoch that it sends with: shards that have it in common have one account there.</param>
/// <param name="Sent">Requests that it has ever sent there under it, 0 and up.</param>
/// <param name="Awaited">Requests there whose answers have not begun, 0 and up.</param>
/// <param name="InFlight">Requests there that have not ended, 0 and up.</param>
public readonly record struct ShardAccount(long Account, long Sent, int Awaited, int InFlight);
