using System.Net.Sockets;

namespace Mesh.Engine.Http;

/// <summary>Why looking at an endpoint failed: a short kind for metrics and a sentence for people.</summary>
/// <param name="Kind">One of a fixed few, for tags.</param>
/// <param name="Text">What happened; null when nothing failed.</param>
internal readonly record struct IoFailure(IoFailureKind Kind, string? Text)
{
    /// <summary>What happened.</summary>
    public string Message => Text ?? "success";

    /// <summary>Sorts an exception of a request, connection or read. <paramref name="timeout"/> is what the attempt was given.</summary>
    public static IoFailure From(Exception exception, TimeSpan timeout) => exception switch
    {
        OperationCanceledException { InnerException: TimeoutException } => new(IoFailureKind.Connect, "no connection in time"),
        OperationCanceledException => new(IoFailureKind.Timeout, $"no answer within {timeout.TotalSeconds:0.###} s"),
        HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError } e =>
            new(IoFailureKind.Connect, Innermost(e)),
        SocketException e => new(IoFailureKind.Connect, e.Message),
        FormatException e => new(IoFailureKind.Malformed, e.Message),
        _ => new(IoFailureKind.Broken, Innermost(exception)),
    };

    /// <summary>True for what a request, connection or read can throw when the other side, not our code, is at fault.</summary>
    public static bool IsExpected(Exception exception) =>
        exception is OperationCanceledException or HttpRequestException or SocketException or IOException or FormatException
            or System.Security.Authentication.AuthenticationException;

    private static string Innermost(Exception exception)
    {
        while (exception.InnerException is { } inner) exception = inner;
        return exception.Message;
    }
}

/// <summary>Kinds of failure.</summary>
internal enum IoFailureKind
{
    /// <summary>No failure.</summary>
    None,

    /// <summary>No connection.</summary>
    Connect,

    /// <summary>No whole answer in time.</summary>
    Timeout,

    /// <summary>The connection broke.</summary>
    Broken,

    /// <summary>Another status than the one asked for.</summary>
    Status,

    /// <summary>A body larger than allowed.</summary>
    TooLarge,

    /// <summary>An answer, or an address, that makes no sense.</summary>
    Malformed,
}
