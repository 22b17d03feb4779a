namespace Mesh.Simulation.Server.Apis;

/// <summary>What a request to the Responses API says beside its call.</summary>
internal sealed record ResponsesRequest
{
    /// <summary>Id that the request gives its response; null when it gives none.</summary>
    public string? RequestId { get; init; }

    public string? Instructions { get; init; }

    public string? PreviousId { get; init; }

    /// <summary>True when the answer is made while nobody waits for it.</summary>
    public bool Background { get; init; }

    /// <summary>True when the response is kept.</summary>
    public bool Store { get; init; }

    public int MaxOutputTokens { get; init; }

    /// <summary>The tools as they were sent.</summary>
    public string ToolsJson { get; init; } = "[]";
}
