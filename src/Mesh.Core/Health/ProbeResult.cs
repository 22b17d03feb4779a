using Mesh.Core.Endpoints;

namespace Mesh.Core.Health;

/// <summary>Result of one health probe.</summary>
/// <param name="Endpoint">Endpoint that was probed.</param>
/// <param name="Timestamp">When the probe ended: <see cref="TimeProvider.GetTimestamp"/> of the host's clock.</param>
/// <param name="Success">True when the endpoint answered as the health check asks.</param>
public readonly record struct ProbeResult(EndpointId Endpoint, long Timestamp, bool Success);
