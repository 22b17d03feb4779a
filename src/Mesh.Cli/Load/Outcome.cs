namespace Mesh.Cli.Load;

/// <summary>How a request ended.</summary>
internal enum OutcomeKind
{
    /// <summary>A whole answer.</summary>
    Answered,

    /// <summary>No connection: refused, unreachable, unknown name, no TLS.</summary>
    Connect,

    /// <summary>Not answered in full within <c>--timeout</c>.</summary>
    Timeout,

    /// <summary>A status other than success.</summary>
    Status,

    /// <summary>The connection broke before a status came.</summary>
    Broken,

    /// <summary>The connection broke in the middle of an answer.</summary>
    BrokenStream,

    /// <summary>The stream told of an error.</summary>
    StreamError,

    /// <summary>The stream ended without <c>[DONE]</c>.</summary>
    Cut,

    /// <summary>An answer that is not HTTP, or longer than any that is meant.</summary>
    Malformed,

    /// <summary>Not sent: as many were under way as are allowed.</summary>
    NotSent,

    /// <summary>Under way when the run was ended; not an error.</summary>
    Interrupted,
}

/// <summary>One request's end. Times are since the beginning of the run.</summary>
/// <param name="Kind">How it ended.</param>
/// <param name="End">When.</param>
/// <param name="Detail">Status and code, or what broke; null for an answer.</param>
internal readonly record struct Outcome(OutcomeKind Kind, TimeSpan End, string? Detail = null)
{
    /// <summary>First token; the answer's end where it does not come as a stream.</summary>
    public TimeSpan First { get; init; }

    /// <summary>Last token.</summary>
    public TimeSpan Last { get; init; }

    /// <summary>Events with text.</summary>
    public int Chunks { get; init; }

    public Usage Usage { get; init; } = Usage.None;

    /// <summary>Endpoint that the gateway says it chose; null where it does not.</summary>
    public string? Endpoint { get; init; }

    /// <summary>Tokens of the answer: as told, else as many as there were events.</summary>
    public int OutputTokens => Usage.CompletionTokens >= 0 ? Usage.CompletionTokens : Chunks;
}
