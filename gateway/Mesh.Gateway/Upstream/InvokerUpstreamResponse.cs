using System.Buffers;
using System.Globalization;
using System.Net.Http.Headers;
using Mesh.Engine.Scraping.Orca;
using Microsoft.Extensions.Primitives;

namespace Mesh.Gateway.Upstream;

/// <summary>An answer that comes through the framework's client stack.</summary>
/// <param name="message">The answer.</param>
/// <param name="idleTimeout">Time within which the body must go on; zero sets no limit.</param>
internal sealed class InvokerUpstreamResponse(HttpResponseMessage message, TimeSpan idleTimeout = default) : IUpstreamResponse
{
    private const int BufferBytes = 16 * 1024;

    private readonly WaitLimit? _idle = WaitLimit.Of(idleTimeout);
    private Stream? _stream;
    private byte[]? _buffer;

    public int StatusCode => (int)message.StatusCode;

    public string? ContentType => Value(message.Content.Headers.NonValidated, "Content-Type");

    public string? CopyHeadersTo(IHeaderDictionary headers)
    {
        var connection = new StringValues(Value(message.Headers.NonValidated, "Connection"));
        Copy(message.Headers.NonValidated, connection, headers);
        Copy(message.Content.Headers.NonValidated, connection, headers);
        var loadReport = Value(message.Headers.NonValidated, OrcaHeader.Name);
        if (loadReport is not null) headers.Remove(OrcaHeader.Name);
        return loadReport;
    }

    public ValueTask<UpstreamChunk> ReadAsync(CancellationToken cancellationToken)
    {
        _stream ??= message.Content.ReadAsStream(CancellationToken.None);
        _buffer ??= ArrayPool<byte>.Shared.Rent(BufferBytes);
        var read = _stream.ReadAsync(_buffer, _idle?.Token ?? cancellationToken);
        return read.IsCompletedSuccessfully
            ? new ValueTask<UpstreamChunk>(new UpstreamChunk(_buffer.AsMemory(0, read.Result)))
            : AwaitAsync(read, cancellationToken);
    }

    public ValueTask DisposeAsync()
    {
        // Every read has been awaited by now, so nobody writes to the buffer any more.
        message.Dispose();
        if (_buffer is not null) ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = null;
        return ValueTask.CompletedTask;
    }

    private async ValueTask<UpstreamChunk> AwaitAsync(ValueTask<int> read, CancellationToken cancellationToken)
    {
        _idle?.Arm(cancellationToken);
        try
        {
            return new UpstreamChunk(_buffer.AsMemory(0, await read));
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            return new UpstreamChunk(default, UpstreamFailure.Cancelled);
        }
        catch (Exception) when (_idle?.RanOut(cancellationToken) == true)
        {
            return new UpstreamChunk(default, UpstreamFailure.Stalled, $"no byte for {idleTimeout.TotalSeconds:0} s");
        }
        catch (Exception e) when (e is IOException or HttpRequestException or OperationCanceledException)
        {
            return new UpstreamChunk(default, UpstreamFailure.BodyBroken, e.Message);
        }
        finally
        {
            _idle?.Disarm();
        }
    }

    private static void Copy(HttpHeadersNonValidated source, StringValues connection, IHeaderDictionary target)
    {
        foreach (var (name, values) in source)
        {
            if (!HeaderRules.IsRelayed(name, connection)) continue;
            if (name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase))
            {
                // A length that is no number would make the server throw; the client stack has already cut the body by it.
                if (long.TryParse(values.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var length)) target.ContentLength = length;
                continue;
            }

            target[name] = values.Count == 1 ? values.ToString() : ToArray(values);
        }
    }

    private static string? Value(HttpHeadersNonValidated headers, string name) =>
        headers.TryGetValues(name, out var values) ? values.ToString() : null;

    private static StringValues ToArray(HeaderStringValues values)
    {
        var array = new string[values.Count];
        var i = 0;
        foreach (var value in values) array[i++] = value;
        return array;
    }
}
