namespace Mesh.Core.Endpoints;

/// <summary>One model-server endpoint: a pod's address and one of its serving ports.</summary>
/// <param name="Address"><c>ip:port</c>, an IPv6 address in brackets; the form that <c>x-gateway-destination-endpoint</c> carries.
/// Unique over the whole mesh: clusters whose pod addresses overlap cannot share one.</param>
public readonly record struct EndpointId(string Address) : IComparable<EndpointId>
{
    /// <inheritdoc/>
    public int CompareTo(EndpointId other) => string.CompareOrdinal(Address, other.Address);

    /// <inheritdoc/>
    public override string ToString() => Address;
}
