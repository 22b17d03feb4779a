using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;

namespace Mesh.Engine.Http.Pages;

/// <summary>
/// Reads one page of one server again and again over one connection that stays open between the readings: a plain HTTP/1.1 GET, for pages of
/// metrics, of which a gateway reads thousands in a second. Reading allocates nothing once it is under way, and once the length is known, waits
/// for the whole rest instead of waking up for each piece. One reading at a time.
/// </summary>
/// <param name="address">The page.</param>
/// <param name="socketAddress">Where its server listens.</param>
/// <param name="connectTimeout">Time that a connection may take to open.</param>
/// <param name="maxBytes">Largest page.</param>
/// <param name="time">Clock.</param>
/// <param name="security">What puts TLS over the connection; null for clear text.</param>
internal sealed class PageConnection(
    Uri address, EndPoint socketAddress, TimeSpan connectTimeout, int maxBytes, TimeProvider time, SecureConnection? security = null) : IDisposable
{
    /// <summary>vLLM's server closes a connection that has been idle for 5 s: ours must let go first, or a request meets the close.</summary>
    private static readonly TimeSpan IdleTimeout = TimeSpan.FromSeconds(4);
    private const int FirstBufferBytes = 16 << 10;
    private const int Slack = 512;

    /// <summary>Below this a piece is not worth two calls of the system.</summary>
    private const int LeastLowWater = 8 << 10;

    /// <summary>Any kernel's receive buffer holds as much.</summary>
    private const int MostLowWater = 64 << 10;
    private readonly byte[] _request = Encoding.ASCII.GetBytes(
        $"GET {address.PathAndQuery} HTTP/1.1\r\nHost: {address.Authority}\r\nAccept: text/plain;version=0.0.4\r\n\r\n");
    private readonly ResponseDecoder _decoder = new(maxBytes);
    private Socket? _socket;
    private Stream? _secured;
    private byte[]? _buffer;
    private int _length;
    private int _lastLength = FirstBufferBytes;
    private int _lowWater = 1;
    private long _idleSince;

    /// <summary>The page that was read last; valid until <see cref="Release"/>.</summary>
    public ReadOnlySpan<byte> Body => _buffer.AsSpan(_decoder.Body);

    /// <summary>When the answer began to come: <see cref="TimeProvider.GetTimestamp"/>.</summary>
    public long AnsweredAt { get; private set; }

    /// <summary>Reads the page.</summary>
    /// <returns>Success when a page came with status 200.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<IoFailure> GetAsync(CancellationToken cancellationToken)
    {
        Release();
        try
        {
            if (UsesOpenSocket())
            {
                var failure = await ExchangeAsync(cancellationToken).ConfigureAwait(false);
                // The server may close an idle connection just when the request is on its way. A page can be asked for twice.
                if (failure.Kind != IoFailureKind.Broken || _length > 0) return failure;
            }

            var connected = await ConnectAsync(cancellationToken).ConfigureAwait(false);
            return connected.Kind != IoFailureKind.None ? connected : await ExchangeAsync(cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            Close();
            throw;
        }
    }

    /// <summary>Gives the page's memory back.</summary>
    public void Release()
    {
        if (_buffer is null) return;
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = null;
        _length = 0;
        _decoder.Begin();
    }

    public void Dispose()
    {
        Close();
        Release();
    }

    private bool UsesOpenSocket()
    {
        if (_socket is null) return false;
        // Readable before anything was asked: it was closed, or says what nobody asked for.
        if (time.GetElapsedTime(_idleSince) < IdleTimeout && !_socket.Poll(0, SelectMode.SelectRead)) return true;
        Close();
        return false;
    }

    private async ValueTask<IoFailure> ConnectAsync(CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        using var deadline = new Deadline(connectTimeout, time, cancellationToken);
        try
        {
            await socket.ConnectAsync(socketAddress, deadline.Token).ConfigureAwait(false);
            if (security is not null) _secured = await security(new NetworkStream(socket, ownsSocket: true), deadline.Token).ConfigureAwait(false);
            _socket = socket;
            return default;
        }
        catch (Exception e) when (e is SocketException or IOException or System.Security.Authentication.AuthenticationException)
        {
            socket.Dispose();
            return new IoFailure(IoFailureKind.Connect, e.Message);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            socket.Dispose();
            return new IoFailure(IoFailureKind.Connect, "no connection in time");
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>One request and its response; leaves the connection open only when it can carry another.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<IoFailure> ExchangeAsync(CancellationToken cancellationToken)
    {
        _buffer ??= ArrayPool<byte>.Shared.Rent(_lastLength);
        _length = 0;
        _decoder.Begin();
        var failure = default(IoFailure);
        try
        {
            WakeAt(1);
            if (_secured is not null) await _secured.WriteAsync(_request, cancellationToken).ConfigureAwait(false);
            else for (var sent = 0; sent < _request.Length;)
                sent += await _socket!.SendAsync(_request.AsMemory(sent), SocketFlags.None, cancellationToken).ConfigureAwait(false);

            while (true)
            {
                var read = _secured is not null
                    ? await _secured.ReadAsync(_buffer.AsMemory(_length), cancellationToken).ConfigureAwait(false)
                    : await _socket!.ReceiveAsync(_buffer.AsMemory(_length), SocketFlags.None, cancellationToken).ConfigureAwait(false);
                if (_length == 0) AnsweredAt = time.GetTimestamp();
                _length += read;
                var result = read == 0 && _decoder.End() ? DecodeResult.Done : read == 0 ? default(DecodeResult?) : _decoder.Decode(_buffer, ref _length);
                if (result == DecodeResult.More && _decoder.Status is 0 or 200)
                {
                    MakeRoom();
                    WakeAt(_decoder.Missing < LeastLowWater ? 1 : Math.Min(_decoder.Missing, MostLowWater));
                    continue;
                }

                failure = Judge(result);
                break;
            }
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            failure = new IoFailure(IoFailureKind.Broken, e.Message);
        }

        if (failure.Kind == IoFailureKind.None) _lastLength = _length + Slack;
        if (_decoder.CanReuse) _idleSince = time.GetTimestamp();
        else Close();
        return failure;
    }

    private IoFailure Judge(DecodeResult? result)
    {
        if (_decoder.Status is not (0 or 200)) return new IoFailure(IoFailureKind.Status, $"{address} answered {_decoder.Status}");
        return result switch
        {
            DecodeResult.Done => default,
            DecodeResult.TooLarge => new IoFailure(IoFailureKind.TooLarge, $"{address} is larger than {maxBytes} bytes"),
            DecodeResult.Malformed => new IoFailure(IoFailureKind.Malformed, $"{address} answered nonsense: {_decoder.Fault}"),
            _ => new IoFailure(IoFailureKind.Broken, $"{address} closed the connection before the end of its answer"),
        };
    }

    private void MakeRoom()
    {
        // More than needed: the end of the chunks, and what should not come, must show.
        var wanted = _decoder.Missing + Slack + _length;
        if (wanted <= _buffer!.Length) return;
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(wanted, _decoder.Missing > 0 ? 0 : _buffer.Length * 2));
        _buffer.AsSpan(0, _length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }

    /// <summary>Has the socket count as readable when so many bytes have come, or the connection has ended.</summary>
    private void WakeAt(int bytes)
    {
        // Other systems have no such mark: there each piece wakes. Under TLS the bytes of the page are not those of the socket.
        if (bytes == _lowWater || _secured is not null || !OperatingSystem.IsLinux()) return;
        _socket!.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReceiveLowWater, bytes);
        _lowWater = bytes;
    }

    private void Close()
    {
        _secured?.Dispose();
        _secured = null;
        _socket?.Dispose();
        _socket = null;
        _lowWater = 1;
    }
}
