using System.Buffers;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;

namespace Mesh.Cli.Load;

/// <summary>Sends one request and reads its answer to the end, over pooled HTTP/1.1 connections. Thread-safe.</summary>
internal sealed class LoadClient : IDisposable
{
    private const int ReadBytes = 4096;
    private const int MaxAnswerBytes = 16 << 20;
    private const int MaxErrorBytes = 16 << 10;
    private const string ServedHeader = "x-gateway-destination-endpoint-served";

    private static readonly MediaTypeHeaderValue Json = new("application/json");

    private readonly LoadOptions _options;
    private readonly RunClock _clock;
    private readonly HttpMessageInvoker _http;

    /// <param name="options">Where to, and the bounds.</param>
    /// <param name="clock">Time of the run.</param>
    /// <param name="connect">Makes connections in another way than by sockets; null for sockets.</param>
    public LoadClient(LoadOptions options, RunClock clock, Func<SocketsHttpConnectionContext, CancellationToken, ValueTask<Stream>>? connect = null)
    {
        _options = options;
        _clock = clock;
        _http = new HttpMessageInvoker(Handler(options, connect));
    }

    /// <summary>The handler with every setting that a measurement depends on.</summary>
    public static SocketsHttpHandler Handler(LoadOptions options, Func<SocketsHttpConnectionContext, CancellationToken, ValueTask<Stream>>? connect = null) => new()
    {
        UseProxy = false,
        UseCookies = false,
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        ActivityHeadersPropagator = null,
        MaxConnectionsPerServer = options.Connections,
        ConnectTimeout = options.ConnectTimeout,
        // Below the five seconds after which common servers close an idle connection, perhaps just when it is used again.
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(4),
        ConnectCallback = connect,
        SslOptions = options.Insecure ? new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = (_, _, _, _) => true } : new SslClientAuthenticationOptions(),
    };

    /// <summary>Sends a body, which is given back to the shared pool in the end, and reads the answer. Never throws for what a server does.</summary>
    public async Task<Outcome> SendAsync(byte[] body, int length, CancellationToken ended)
    {
        using var timeout = new CancellationTokenSource(_options.Timeout, _clock.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, ended);
        var hasBegun = false;
        try
        {
            using var request = Request(body, length);
            using var response = await _http.SendAsync(request, both.Token).ConfigureAwait(false);
            hasBegun = true;
            using var stream = response.Content.ReadAsStream(both.Token);
            var outcome = !response.IsSuccessStatusCode ? await RefusedAsync(response, stream, both.Token).ConfigureAwait(false)
                : IsEventStream(response) ? await StreamedAsync(stream, both.Token).ConfigureAwait(false)
                : await WholeAsync(stream, both.Token).ConfigureAwait(false);
            // Only after an answer is it certain that nobody reads the body any more.
            ArrayPool<byte>.Shared.Return(body);
            return response.Headers.NonValidated.TryGetValues(ServedHeader, out var served) ? outcome with { Endpoint = served.ToString() } : outcome;
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            return new Outcome(OutcomeKind.Interrupted, _clock.Now);
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested)
        {
            return new Outcome(OutcomeKind.Timeout, _clock.Now, hasBegun ? "in the middle of the answer" : "before the answer began");
        }
        catch (Exception e) when (e is HttpRequestException or IOException or SocketException or OperationCanceledException)
        {
            return Failures.Of(e, hasBegun, _clock.Now);
        }
    }

    public void Dispose() => _http.Dispose();

    private HttpRequestMessage Request(byte[] body, int length)
    {
        var content = new ReadOnlyMemoryContent(body.AsMemory(0, length));
        content.Headers.ContentType = Json;
        var request = new HttpRequestMessage(HttpMethod.Post, _options.Target) { Content = content };
        foreach (var (name, value) in _options.Headers)
        {
            if (!request.Headers.TryAddWithoutValidation(name, value)) content.Headers.TryAddWithoutValidation(name, value);
        }

        return request;
    }

    private static bool IsEventStream(HttpResponseMessage response) => response.Content.Headers.NonValidated.TryGetValues("Content-Type", out var type)
        && type.ToString().StartsWith("text/event-stream", StringComparison.OrdinalIgnoreCase);

    private async Task<Outcome> StreamedAsync(Stream stream, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(ReadBytes);
        using var events = new EventReader();
        try
        {
            int read;
            while ((read = await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
            {
                if (!events.Feed(buffer.AsSpan(0, read), _clock.Now)) return new Outcome(OutcomeKind.Malformed, _clock.Now, "event too long");
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        var end = _clock.Now;
        if (events.Error is { } error) return new Outcome(OutcomeKind.StreamError, end, error);
        if (!events.IsDone) return new Outcome(OutcomeKind.Cut, end);
        return new Outcome(OutcomeKind.Answered, end)
        {
            First = events.Chunks > 0 ? events.First : end,
            Last = events.Chunks > 0 ? events.Last : end,
            Chunks = events.Chunks,
            Usage = events.Usage,
        };
    }

    private async Task<Outcome> WholeAsync(Stream stream, CancellationToken cancellationToken)
    {
        var (buffer, length) = await ReadAsync(stream, MaxAnswerBytes, cancellationToken).ConfigureAwait(false);
        var end = _clock.Now;
        var usage = Usage.Read(buffer.AsSpan(0, Math.Min(length, buffer.Length)));
        ArrayPool<byte>.Shared.Return(buffer);
        return length > MaxAnswerBytes
            ? new Outcome(OutcomeKind.Malformed, end, "answer too long")
            : new Outcome(OutcomeKind.Answered, end) { First = end, Last = end, Usage = usage };
    }

    private async Task<Outcome> RefusedAsync(HttpResponseMessage response, Stream stream, CancellationToken cancellationToken)
    {
        var (buffer, length) = await ReadAsync(stream, MaxErrorBytes, cancellationToken).ConfigureAwait(false);
        var code = ErrorCode.Read(buffer.AsSpan(0, Math.Min(length, MaxErrorBytes)));
        ArrayPool<byte>.Shared.Return(buffer);
        var status = ((int)response.StatusCode).ToString(System.Globalization.CultureInfo.InvariantCulture);
        return new Outcome(OutcomeKind.Status, _clock.Now, code is null || code == status ? status : $"{status} {code}");
    }

    /// <summary>Reads to the end; a length above <paramref name="most"/> says that there was more.</summary>
    private static async Task<(byte[] Buffer, int Length)> ReadAsync(Stream stream, int most, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(ReadBytes);
        var length = 0;
        while (length <= most)
        {
            if (length == buffer.Length)
            {
                var larger = ArrayPool<byte>.Shared.Rent(2 * length);
                buffer.CopyTo(larger, 0);
                ArrayPool<byte>.Shared.Return(buffer);
                buffer = larger;
            }

            var read = await stream.ReadAsync(buffer.AsMemory(length), cancellationToken).ConfigureAwait(false);
            if (read == 0) break;
            length += read;
        }

        return (buffer, length);
    }
}
