namespace Mesh.Core.Leases;

/// <summary>One run of one gateway process: leases belong to it and lapse when its heartbeat stops.</summary>
/// <param name="GatewayId">Stable name of the gateway.</param>
/// <param name="Epoch">Rises with every start of that gateway.</param>
public readonly record struct GatewaySession(string GatewayId, long Epoch)
{
    /// <summary><c>gateway@epoch</c>.</summary>
    public override string ToString() => $"{GatewayId}@{Epoch}";
}
