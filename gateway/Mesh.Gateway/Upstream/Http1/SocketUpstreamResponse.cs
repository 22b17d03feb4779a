using Microsoft.Extensions.Primitives;

namespace Mesh.Gateway.Upstream.Http1;

/// <summary>An answer on a connection of our own. After its end the connection goes back to its pool.</summary>
internal sealed class SocketUpstreamResponse : IUpstreamResponse
{
    private readonly CancellationToken _token;
    private UpstreamConnection? _connection;
    private readonly CancellationTokenRegistration _registration;
    private bool _hasReadBody;

    /// <param name="connection">Its head has come.</param>
    /// <param name="token">What the registration is for.</param>
    /// <param name="registration">Aborts the connection.</param>
    public SocketUpstreamResponse(UpstreamConnection connection, CancellationToken token, CancellationTokenRegistration registration)
    {
        _connection = connection;
        _token = token;
        _registration = registration;
        StatusCode = connection.Head.Status;
        ContentType = FindContentType(connection);
    }

    public int StatusCode { get; }

    public string? ContentType { get; }

    /// <exception cref="InvalidOperationException">The body is being read, or the answer has been disposed.</exception>
    public string? CopyHeadersTo(IHeaderDictionary headers)
    {
        if (_connection is not { } connection || _hasReadBody) throw new InvalidOperationException("The head is there only until the body is read.");
        var named = connection.Head.NamesHopHeaders ? NamedBy(connection) : default;
        var rest = HeadParser.Headers(connection.HeadBytes);
        var seen = 0UL;
        string? loadReport = null;
        for (var i = 0; HeadParser.TryNext(ref rest, out var name, out var value); i++)
        {
            var entry = connection.Pool.Headers.At(i, name, value);
            if (!entry.IsRelayed || (named.Count > 0 && !HeaderRules.IsRelayed(entry.Name, named))) continue;
            if (entry.IsContentLength)
            {
                // 204 has none, whatever the endpoint says.
                if (StatusCode != StatusCodes.Status204NoContent) headers.ContentLength = connection.Head.ContentLength;
                continue;
            }

            if (entry.IsLoadReport)
            {
                loadReport = entry.Value;
                continue;
            }

            // Most heads name nothing twice; the bit says cheaply that this one may.
            var bit = 1UL << ((entry.Name.Length + (entry.Name[0] & 0x1f) + ((entry.Name[^1] & 0x1f) << 2)) & 63);
            if ((seen & bit) != 0 && IsRepeated(connection, i, name)) headers.Append(entry.Name, entry.Value);
            else headers[entry.Name] = entry.Value;
            seen |= bit;
        }

        return loadReport;
    }

    public ValueTask<UpstreamChunk> ReadAsync(CancellationToken cancellationToken)
    {
        if (_connection is not { } connection) return new ValueTask<UpstreamChunk>(new UpstreamChunk(default, UpstreamFailure.Cancelled));
        _hasReadBody = true;
        if (cancellationToken == _token || !cancellationToken.CanBeCanceled) return connection.ReadAsync();
        return ReadWithAsync(connection, cancellationToken);
    }

    public ValueTask DisposeAsync()
    {
        if (_connection is not { } connection) return ValueTask.CompletedTask;
        _connection = null;
        var isQuiet = !_token.CanBeCanceled || _registration.Unregister();
        // An abort that has begun may still come: such a connection serves nobody else.
        if (isQuiet && connection.IsReusable) connection.Pool.Return(connection);
        else connection.Pool.Discard(connection);
        return ValueTask.CompletedTask;
    }

    private static async ValueTask<UpstreamChunk> ReadWithAsync(UpstreamConnection connection, CancellationToken cancellationToken)
    {
        // Another token than the one that the request was sent with: rare, so it may cost.
        using var registration = cancellationToken.UnsafeRegister(static c => ((UpstreamConnection)c!).Abort(UpstreamFailure.Cancelled), connection);
        return await connection.ReadAsync();
    }

    private static string? FindContentType(UpstreamConnection connection)
    {
        var rest = HeadParser.Headers(connection.HeadBytes);
        for (var i = 0; HeadParser.TryNext(ref rest, out var name, out var value); i++)
        {
            if (connection.Pool.Headers.At(i, name, value) is { IsContentType: true } type) return type.Value;
        }

        return null;
    }

    private static StringValues NamedBy(UpstreamConnection connection)
    {
        var values = StringValues.Empty;
        var rest = HeadParser.Headers(connection.HeadBytes);
        for (var i = 0; HeadParser.TryNext(ref rest, out var name, out var value); i++)
        {
            var entry = connection.Pool.Headers.At(i, name, value);
            if (entry.Name.Equals("Connection", StringComparison.OrdinalIgnoreCase)) values = StringValues.Concat(values, entry.Value);
        }

        return values;
    }

    private static bool IsRepeated(UpstreamConnection connection, int index, ReadOnlySpan<byte> wanted)
    {
        var rest = HeadParser.Headers(connection.HeadBytes);
        for (var i = 0; i < index && HeadParser.TryNext(ref rest, out var name, out _); i++)
        {
            if (System.Text.Ascii.EqualsIgnoreCase(name, wanted)) return true;
        }

        return false;
    }
}
