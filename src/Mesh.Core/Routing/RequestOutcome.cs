namespace Mesh.Core.Routing;

/// <summary>How a placed request ended.</summary>
/// <param name="Kind">Success, failure of the endpoint, or the client's leaving.</param>
/// <param name="PromptTokens">From the usage block; 0 when unknown.</param>
/// <param name="CachedTokens">Prompt tokens served from the prefix cache, 0 and up; null when unknown.</param>
/// <param name="OutputTokens">From the usage block; 0 when unknown.</param>
public readonly record struct RequestOutcome(OutcomeKind Kind, int PromptTokens = 0, int? CachedTokens = null, int OutputTokens = 0);

/// <summary>How a request ended, as far as the endpoint's health is concerned.</summary>
public enum OutcomeKind
{
    /// <summary>Answered; a 4xx is an answer.</summary>
    Success,

    /// <summary>The client left.</summary>
    ClientGone,

    /// <summary>No connection, or it was reset.</summary>
    ConnectFailure,

    /// <summary>The endpoint answered 5xx.</summary>
    ServerError,

    /// <summary>No answer in time.</summary>
    Timeout,

    /// <summary>The answer broke off in the middle.</summary>
    StreamBroken,

    /// <summary>Never sent: the gateway gave the reservation up.</summary>
    NotSent,

    /// <summary>The endpoint said that its queue is full.</summary>
    EndpointFull,

    /// <summary>The peer region refused a forwarded request: nothing more goes there until its next report.</summary>
    PeerRefused,
}
