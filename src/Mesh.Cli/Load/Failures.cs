using System.Net.Sockets;

namespace Mesh.Cli.Load;

/// <summary>Tells the kinds of failed connections apart.</summary>
internal static class Failures
{
    public static Outcome Of(Exception exception, bool hasBegun, TimeSpan now)
    {
        var socket = exception as SocketException ?? exception.InnerException as SocketException ?? exception.InnerException?.InnerException as SocketException;
        var http = exception as HttpRequestException;
        var error = http?.HttpRequestError ?? (exception as HttpIOException)?.HttpRequestError ?? HttpRequestError.Unknown;
        if (error is HttpRequestError.InvalidResponse or HttpRequestError.ConfigurationLimitExceeded)
            return new Outcome(OutcomeKind.Malformed, now, "not an HTTP answer");
        if (hasBegun) return new Outcome(OutcomeKind.BrokenStream, now, Word(socket, "ended early"));
        return error switch
        {
            HttpRequestError.NameResolutionError => new Outcome(OutcomeKind.Connect, now, "unknown name"),
            HttpRequestError.SecureConnectionError => new Outcome(OutcomeKind.Connect, now, "no TLS"),
            HttpRequestError.ConnectionError => new Outcome(OutcomeKind.Connect, now, Word(socket, "failed")),
            // Only the time that connecting may take is left when no other time-out has passed.
            _ when exception is OperationCanceledException || exception.InnerException is OperationCanceledException or TimeoutException =>
                new Outcome(OutcomeKind.Connect, now, "timed out"),
            _ => new Outcome(OutcomeKind.Broken, now, Word(socket, "ended before the answer")),
        };
    }

    private static string Word(SocketException? exception, string otherwise) => exception?.SocketErrorCode switch
    {
        null => otherwise,
        SocketError.ConnectionRefused => "refused",
        SocketError.ConnectionReset => "reset",
        SocketError.TimedOut => "timed out",
        SocketError.HostUnreachable or SocketError.NetworkUnreachable => "unreachable",
        SocketError.TooManyOpenSockets => "no more descriptors here",
        SocketError.AddressNotAvailable => "no more local ports here",
        var code => code.Value.ToString(),
    };
}
