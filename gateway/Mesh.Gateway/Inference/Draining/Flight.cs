using Mesh.Core.Config;
using Mesh.Core.Endpoints;

namespace Mesh.Gateway.Inference.Draining;

/// <summary>One attempt in the list of those under way at an endpoint: the links live in the request itself. Guarded by the list's lock.</summary>
internal abstract class Flight
{
    /// <summary>The request's end.</summary>
    public abstract RequestLifetime Lifetime { get; }

    /// <summary>List that the attempt stands in; null outside.</summary>
    public EndpointFlights? List { get; set; }

    /// <summary>Next in the list.</summary>
    public Flight? Next { get; set; }

    /// <summary>The one before.</summary>
    public Flight? Previous { get; set; }

    /// <summary>Pool under which it was placed.</summary>
    public PoolId PlacedIn { get; set; }

    /// <summary>Number of the attempt.</summary>
    public long Number { get; set; }

    /// <summary>True once the answer's head has come: it is finished where it began.</summary>
    public bool HasBegun { get; set; }

    /// <summary>True once the configuration dropped the endpoint before it began to answer.</summary>
    public bool IsDisplaced { get; set; }
}

/// <summary>The attempts under way at one endpoint.</summary>
internal sealed class EndpointFlights(EndpointId endpoint)
{
    /// <summary>Guards the list and the flights in it.</summary>
    public Lock Gate { get; } = new();

    /// <summary>The endpoint.</summary>
    public EndpointId Endpoint => endpoint;

    /// <summary>First of the list; null when it is empty.</summary>
    public Flight? First { get; set; }

    /// <summary>True when the list has been taken out of the registry and takes no more.</summary>
    public bool IsRetired { get; set; }
}
