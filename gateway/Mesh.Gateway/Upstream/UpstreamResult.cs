namespace Mesh.Gateway.Upstream;

/// <summary>The head of an answer, or why there is none.</summary>
/// <param name="Response">The answer; null exactly when <paramref name="Failure"/> is set. The receiver disposes it.</param>
/// <param name="Failure">Why there is none.</param>
/// <param name="Detail">For logs; null without a failure.</param>
internal readonly record struct UpstreamResult(IUpstreamResponse? Response, UpstreamFailure Failure, string? Detail)
{
    public static UpstreamResult Answered(IUpstreamResponse response) => new(response, UpstreamFailure.None, null);

    public static UpstreamResult Failed(UpstreamFailure failure, string? detail) => new(null, failure, detail);
}

/// <summary>What went wrong between the gateway and an endpoint.</summary>
internal enum UpstreamFailure
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>No connection in time, or none at all. The request was not sent.</summary>
    ConnectFailed,

    /// <summary>The connection ended before the head of an answer was there.</summary>
    ResetBeforeHead,

    /// <summary>An answer began that is not HTTP, or whose head is too large.</summary>
    InvalidAnswer,

    /// <summary>The answer ended before its body was complete.</summary>
    BodyBroken,

    /// <summary>The caller's token was cancelled; the caller knows why.</summary>
    Cancelled,

    /// <summary>The client's own time limit for the head of an answer ran out.</summary>
    HeadTimeout,

    /// <summary>An answer that had begun sent no byte for as long as the client's time limit.</summary>
    Stalled,
}
