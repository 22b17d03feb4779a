using System.Collections.Immutable;
using Mesh.Core.Endpoints;
using Mesh.Core.Leases;

namespace Mesh.Simulation.Faults.Processes;

/// <summary>How a request of a fault world ended.</summary>
internal enum RequestEnd
{
    /// <summary>Not yet.</summary>
    None,

    /// <summary>A whole answer.</summary>
    Answered,

    /// <summary>An error with a reason, before an answer began.</summary>
    Refused,

    /// <summary>An error with a reason, in the middle of the answer.</summary>
    Broken,

    /// <summary>Its client left.</summary>
    ClientLeft,

    /// <summary>Its gateway died, and its connection with it.</summary>
    GatewayLost,
}

/// <summary>One request as its gateway sees it.</summary>
internal sealed class ClientRequest
{
    public required int Number { get; init; }

    /// <summary>Number of the pool that its route has chosen.</summary>
    public required int Pool { get; init; }

    /// <summary>Model that it names; null for none.</summary>
    public required string? Model { get; init; }

    public required int PromptTokens { get; init; }

    public required int OutputTokens { get; init; }

    /// <summary>Cap that the client named; 0 for none.</summary>
    public required int MaxOutputTokens { get; init; }

    public required bool IsStreaming { get; init; }

    public required int Priority { get; init; }

    public required string Flow { get; init; }

    public required ulong AffinityKey { get; init; }

    /// <summary>Hashes of the prompt's blocks.</summary>
    public required ulong[] Blocks { get; init; }

    public RequestEnd End { get; set; }

    /// <summary>Why it ended, where that is not plain.</summary>
    public string Reason { get; set; } = "";

    /// <summary>Call under which the engine was asked for a place; 0 while it is not.</summary>
    public long Call { get; set; }

    public Attempt? Attempt { get; set; }

    public int Attempts { get; set; }

    public int Displacements { get; set; }

    public ImmutableArray<EndpointId> Excluded { get; set; } = [];

    /// <summary>True when an endpoint's 503 is kept for the client, should nobody else be left.</summary>
    public bool HasSpare { get; set; }

    /// <summary>Answers of which the client has got the first byte.</summary>
    public int AnswersBegun { get; set; }

    public override string ToString() => $"request {Number}";
}

/// <summary>One attempt at one endpoint.</summary>
/// <param name="gateway">Run of the gateway that attempts it.</param>
/// <param name="request">What is attempted.</param>
/// <param name="endpoint">Where.</param>
/// <param name="lease">Its reservation.</param>
/// <param name="up">Connection to the endpoint.</param>
/// <param name="down">Connection back.</param>
internal sealed class Attempt(GatewayRun gateway, ClientRequest request, EndpointProcess endpoint, LeaseId lease, Link up, Link down)
{
    /// <summary>Who hears of it; null once the gateway has done with it or died.</summary>
    public GatewayRun? Gateway => IsOpen && gateway.IsAlive ? gateway : null;

    public ClientRequest Request => request;

    public EndpointProcess Endpoint => endpoint;

    public LeaseId Lease => lease;

    public Link Up => up;

    public Link Down => down;

    /// <summary>False once the gateway has done with it.</summary>
    public bool IsOpen { get; set; } = true;

    /// <summary>True when the answer has begun.</summary>
    public bool HasBegun { get; set; }

    /// <summary>True when the endpoint's side was reached.</summary>
    public bool IsConnected { get; set; }
}
