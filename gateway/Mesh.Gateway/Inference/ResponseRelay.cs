using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Mesh.Gateway.Inference.Apis;
using Mesh.Gateway.Inference.Usage;
using Mesh.Gateway.Upstream;

namespace Mesh.Gateway.Inference;

/// <summary>
/// Copies an answer's body to the client as it arrives, unparsed. What is at hand is written together and flushed before the next wait;
/// a client that does not read stops the reading from the endpoint.
/// </summary>
internal sealed class ResponseRelay(HttpResponse response, IUpstreamResponse upstream, InferenceExchange exchange, AnswerEdits? edits)
    : IDisposable
{
    // A fast endpoint and a slow client meet here: what is written and not yet flushed stays below this.
    private const int MaxUnflushedBytes = 64 * 1024;

    private TailBuffer _tail;
    private int _unflushed;
    private byte _lastByte;
    private byte _lastButOne;

    /// <summary>True when the client is within a line or an event of a stream.</summary>
    public bool IsInsideEvent => response.HasStarted && _lastByte != 0 && !(_lastByte == '\n' && _lastButOne == '\n');

    /// <summary>True while the gateway waits for the client rather than for the endpoint.</summary>
    public bool WaitsForClient { get; private set; }

    /// <summary>Relays until the end. Status and headers have been set and nothing has been sent.</summary>
    /// <param name="sendHeadFirst">Sends the head before the first byte is there: for streams, whose client wants to know.</param>
    /// <param name="cancellationToken">The request's lifetime.</param>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<RelayEnd> RunAsync(bool sendHeadFirst, CancellationToken cancellationToken)
    {
        while (true)
        {
            var reading = upstream.ReadAsync(cancellationToken);
            if (!reading.IsCompleted)
            {
                if (sendHeadFirst && !response.HasStarted) await FlushHeadAsync(cancellationToken);
                if (_unflushed > 0 && !await FlushAsync(cancellationToken)) return await DrainAsync(reading);
            }

            var chunk = await reading;
            if (chunk.Failure != UpstreamFailure.None)
            {
                // What the endpoint sent before it broke belongs to the client.
                if (chunk.Failure != UpstreamFailure.Cancelled) await WriteRestAsync(cancellationToken);
                if (_unflushed > 0 && chunk.Failure != UpstreamFailure.Cancelled) await FlushAsync(cancellationToken);
                return EndOf(chunk.Failure);
            }

            if (chunk.IsEnd && !await WriteRestAsync(cancellationToken)) return RelayEnd.Ended;
            if (chunk.IsEnd) return _unflushed == 0 || await FlushAsync(cancellationToken) ? RelayEnd.Complete : RelayEnd.Ended;
            // A read or write that finds its bytes at hand does not look at the token.
            if (cancellationToken.IsCancellationRequested) return RelayEnd.Ended;
            exchange.OnBytes(chunk.Bytes.Span);
            _tail.Append(chunk.Bytes.Span);
            var bytes = edits is null ? chunk.Bytes : edits.Pass(chunk.Bytes);
            // All of a chunk may be what the client does not get.
            if (!bytes.IsEmpty && !await WriteAsync(bytes, cancellationToken)) return RelayEnd.Ended;
        }
    }

    /// <summary>The usage that the end of the body gives, as far as it has come.</summary>
    public TokenUsage ReadUsage()
    {
        Span<byte> tail = stackalloc byte[TailBuffer.Bytes];
        return UsageReader.Read(tail[.._tail.CopyTo(tail)]).Or(exchange.FirstUsage);
    }

    /// <summary>Number of the event that would come next in a stream that counts them; 0 when none has come.</summary>
    public long NextSequence
    {
        get
        {
            if (exchange.Api.Dialect != ApiDialect.Responses) return 0;
            Span<byte> tail = stackalloc byte[TailBuffer.Bytes];
            return SequenceReader.Next(tail[.._tail.CopyTo(tail)]);
        }
    }

    public void Dispose() => _tail.Dispose();

    /// <summary>Writes what the edits held back.</summary>
    private async ValueTask<bool> WriteRestAsync(CancellationToken cancellationToken)
    {
        var rest = edits is null ? default : edits.End();
        return rest.IsEmpty || await WriteAsync(rest, cancellationToken);
    }

    private async ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        Remember(bytes.Span);
        exchange.ResponseBytes += bytes.Length;
        if (!response.HasStarted)
        {
            // Head and first bytes leave in one packet.
            return await SendAsync(response.Body.WriteAsync(bytes, cancellationToken));
        }

        response.BodyWriter.Write(bytes.Span);
        _unflushed += bytes.Length;
        return _unflushed < MaxUnflushedBytes || await FlushAsync(cancellationToken);
    }

    private async ValueTask<bool> FlushAsync(CancellationToken cancellationToken)
    {
        _unflushed = 0;
        var flushing = response.BodyWriter.FlushAsync(cancellationToken);
        if (flushing.IsCompletedSuccessfully) return IsOpen(flushing.Result);
        try
        {
            WaitsForClient = true;
            var isOpen = IsOpen(await flushing);
            WaitsForClient = !isOpen;
            return isOpen;
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or ObjectDisposedException)
        {
            return false;
        }
    }

    // Completed means that nobody takes bytes any more: the connection is gone, though the token may not know it yet.
    private static bool IsOpen(FlushResult result) => !result.IsCanceled && !result.IsCompleted;

    private async ValueTask<bool> SendAsync(ValueTask sending)
    {
        if (sending.IsCompletedSuccessfully) return true;
        try
        {
            WaitsForClient = true;
            await sending;
            WaitsForClient = false;
            return true;
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or ObjectDisposedException)
        {
            return false;
        }
    }

    private async ValueTask FlushHeadAsync(CancellationToken cancellationToken)
    {
        try
        {
            await response.Body.FlushAsync(cancellationToken);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or ObjectDisposedException)
        {
            // The client is gone: the read that is under way is cancelled by the same token.
        }
    }

    private static RelayEnd EndOf(UpstreamFailure failure) => failure switch
    {
        UpstreamFailure.Cancelled => RelayEnd.Ended,
        UpstreamFailure.Stalled => RelayEnd.UpstreamStalled,
        _ => RelayEnd.UpstreamBroken,
    };

    // A read that has begun must end before its buffer may go back.
    private static async ValueTask<RelayEnd> DrainAsync(ValueTask<UpstreamChunk> reading)
    {
        await reading;
        return RelayEnd.Ended;
    }

    private void Remember(ReadOnlySpan<byte> bytes)
    {
        foreach (var b in bytes.Length > 4 ? bytes[^4..] : bytes)
        {
            // Carriage returns do not count: an event ends with an empty line, however lines end.
            if (b == '\r') continue;
            _lastButOne = _lastByte;
            _lastByte = b;
        }
    }
}
