using Mesh.Core.Endpoints;

namespace Mesh.Core.Health;

/// <summary>What one probe result did to an endpoint's verdict.</summary>
/// <param name="Before">Verdict before the result.</param>
/// <param name="After">Verdict after it.</param>
public readonly record struct HealthTransition(EndpointHealth Before, EndpointHealth After)
{
    /// <summary>True when the verdict is another one now.</summary>
    public bool Changed => Before != After;
}
