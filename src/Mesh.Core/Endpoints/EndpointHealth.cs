namespace Mesh.Core.Endpoints;

/// <summary>What the prober knows of an endpoint.</summary>
public enum EndpointHealth
{
    /// <summary>Not enough probes yet. Not ready for requests.</summary>
    Unknown,

    /// <summary>Enough successes in a row.</summary>
    Healthy,

    /// <summary>Enough failures in a row.</summary>
    Unhealthy,
}
