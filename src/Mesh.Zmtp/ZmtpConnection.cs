using System.Buffers;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Mesh.Zmtp.Transport;

namespace Mesh.Zmtp;

/// <summary>
/// One TCP connection to a ZMTP peer, from connecting to its end; it is not used again after that. One reader at a time:
/// <see cref="OpenAsync"/>, then <see cref="TryRead"/> until it is false, then <see cref="FillAsync"/>, and so on. Sending and
/// <see cref="Fail"/> may come from any thread.
/// </summary>
internal sealed class ZmtpConnection : IAsyncDisposable
{
    private const int InitialReceiveBytes = 16 << 10;

    private readonly ZmtpOptions _options;
    private readonly TimeProvider _clock;
    private readonly ZmtpSession _session;
    private readonly ReceiveBuffer _received;
    private readonly ZmtpSender _sender;
    private readonly ZmtpTransport _transport;
    private readonly Lock _gate = new();
    private ITimer? _heartbeat;
    private int _unconsumed;
    private long _lastReceived;
    private volatile bool _waiting;
    private volatile bool _disposed;

    public ZmtpConnection(ZmtpSocketType type, ZmtpOptions options, TimeProvider clock)
        : this(type, options, clock, new WokenTransport())
    {
    }

    /// <summary>Takes over a socket that was accepted; <see cref="AcceptAsync"/> comes next.</summary>
    public ZmtpConnection(ZmtpSocketType type, ZmtpOptions options, TimeProvider clock, Socket socket)
        : this(type, options, clock, new WokenTransport(socket))
    {
    }

    /// <summary>Goes over a transport that is not connected yet, and disposes of it in the end.</summary>
    public ZmtpConnection(ZmtpSocketType type, ZmtpOptions options, TimeProvider clock, ZmtpTransport transport)
    {
        _options = options;
        _clock = clock;
        _session = new ZmtpSession(type, options);
        _received = new ReceiveBuffer(InitialReceiveBytes, options.MaxMessageBytes + InitialReceiveBytes);
        _transport = transport;
        _sender = new ZmtpSender(transport, options.MaxUnsentBytes, failure => Fail(failure));
    }

    /// <summary>Why the connection ended; None while it has not.</summary>
    public ZmtpFailure Failure { get; private set; }

    /// <summary>More about the failure for a reader of logs, or empty.</summary>
    public string FailureDetail { get; private set; } = "";

    /// <summary>Minor version of the peer's ZMTP 3, once open.</summary>
    public int PeerMinorVersion => _session.PeerMinorVersion;

    /// <summary>Bytes of memory that hold what was received.</summary>
    public int ReceiveBufferBytes => _received.CapacityBytes;

    /// <summary>Connects and shakes hands. False: see <see cref="Failure"/>.</summary>
    public async ValueTask<bool> OpenAsync(string host, int port, CancellationToken cancellationToken)
    {
        try
        {
            using var timeout = new CancellationTokenSource(_options.ConnectTimeout, _clock);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
            await _transport.ConnectAsync(host, port, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return Fail(cancellationToken.IsCancellationRequested ? ZmtpFailure.Closed : ZmtpFailure.ConnectTimeout);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return Fail(ZmtpFailure.ConnectFailed, e.Message);
        }
        return await ShakeHandsAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Shakes hands with the peer that has connected. False: see <see cref="Failure"/>.</summary>
    public ValueTask<bool> AcceptAsync(CancellationToken cancellationToken) => ShakeHandsAsync(cancellationToken);

    /// <summary>Topics that the peer has asked for.</summary>
    public ZmtpTopics Topics => _session.Topics;

    /// <summary>Sends bytes that are a whole message, unless so many messages wait already: then it is false and nothing is sent.</summary>
    public bool TrySendMessage(ReadOnlySpan<byte> message, int maxMessages) => _sender.TrySend(message, maxMessages);

    /// <summary>Asks for messages whose first frame begins with <paramref name="topic"/>; the empty topic asks for all.</summary>
    public void Subscribe(ReadOnlySpan<byte> topic)
    {
        var bytes = new ArrayBufferWriter<byte>(topic.Length + 32);
        _session.Subscribe(bytes, topic);
        _sender.Send(bytes.WrittenSpan);
    }

    /// <summary>Sends a message of two frames.</summary>
    public void Send(ReadOnlySpan<byte> first, ReadOnlySpan<byte> last)
    {
        var bytes = new ArrayBufferWriter<byte>(first.Length + last.Length + (2 * ZmtpFrameHeader.MaxBytes));
        ZmtpCommands.WriteFrame(bytes, first, more: true);
        ZmtpCommands.WriteFrame(bytes, last, more: false);
        _sender.Send(bytes.WrittenSpan);
    }

    /// <summary>
    /// The next whole message among what has been received, without waiting. It lies in the receive buffer: it is valid until the next
    /// call of this method or of <see cref="FillAsync"/>.
    /// </summary>
    public bool TryRead(out ZmtpMessage message)
    {
        ReleaseLast();
        while (Failure == ZmtpFailure.None)
        {
            switch (Step(out var consumed))
            {
                case ZmtpStep.NeedMore:
                    message = default;
                    return false;
                case ZmtpStep.Message:
                    message = new ZmtpMessage(_received.Unread, _session.Frames);
                    _unconsumed = consumed;
                    return true;
                case ZmtpStep.Failed:
                    Fail(_session.Failure, _session.FailureDetail);
                    break;
                default:
                    _received.Consume(consumed);
                    break;
            }
        }
        message = default;
        return false;
    }

    /// <summary>Waits for more bytes. False: the connection is over, see <see cref="Failure"/>.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<bool> FillAsync()
    {
        ReleaseLast();
        if (Failure != ZmtpFailure.None) return false;
        if (!_received.TryGetRoom(out var room)) return Fail(ZmtpFailure.MessageTooLarge);
        // Silence counts only while somebody listens for it.
        Volatile.Write(ref _lastReceived, _clock.GetTimestamp());
        _waiting = true;
        try
        {
            var count = await _transport.ReceiveAsync(room).ConfigureAwait(false);
            if (count == 0) return Fail(ZmtpFailure.PeerClosed);
            _received.Received(count);
            return true;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return Fail(e is SocketException { SocketErrorCode: SocketError.ConnectionReset } ? ZmtpFailure.PeerClosed : ZmtpFailure.SocketError, e.Message);
        }
        finally
        {
            _waiting = false;
        }
    }

    /// <summary>Ends the connection for a reason; the first reason stays. Always false, for the convenience of callers.</summary>
    public bool Fail(ZmtpFailure failure, string detail = "")
    {
        lock (_gate)
        {
            if (Failure != ZmtpFailure.None) return false;
            Failure = failure;
            FailureDetail = detail;
        }
        _heartbeat?.Dispose();
        _transport.Dispose();
        return false;
    }

    /// <summary>Closes the socket and gives the buffers back. The reader must have come back from its last call.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_disposed) return;
        _disposed = true;
        Fail(ZmtpFailure.Closed);
        if (_heartbeat is { } heartbeat) await heartbeat.DisposeAsync().ConfigureAwait(false);
        _received.Dispose();
    }

    private async ValueTask<bool> ShakeHandsAsync(CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(_options.HandshakeTimeout, _clock);
        using var late = timeout.Token.UnsafeRegister(static self => ((ZmtpConnection)self!).Fail(ZmtpFailure.HandshakeTimeout), this);
        using var cancelled = cancellationToken.UnsafeRegister(static self => ((ZmtpConnection)self!).Fail(ZmtpFailure.Closed), this);
        var opening = new ArrayBufferWriter<byte>(128);
        _session.Start(opening);
        _sender.Send(opening.WrittenSpan);
        while (true)
        {
            while (Step(out var consumed) is var step and not ZmtpStep.NeedMore)
            {
                if (step == ZmtpStep.Failed) return Fail(_session.Failure, _session.FailureDetail);
                _received.Consume(consumed);
                if (step != ZmtpStep.Established) continue;
                StartHeartbeat();
                return Failure == ZmtpFailure.None;
            }
            if (!await FillAsync().ConfigureAwait(false)) return false;
        }
    }

    private ZmtpStep Step(out int consumed)
    {
        var step = _session.Advance(_received.Unread, _sender.Replies, out consumed);
        if (_sender.Replies.WrittenCount > 0) _sender.SendReplies();
        return step;
    }

    private void ReleaseLast()
    {
        _received.Consume(_unconsumed);
        _unconsumed = 0;
    }

    private void StartHeartbeat()
    {
        var asks = _options.HeartbeatInterval > TimeSpan.Zero && _session.PeerMinorVersion >= 1;
        if (!asks && _options.IdleTimeout <= TimeSpan.Zero) return;
        var period = asks ? _options.HeartbeatInterval : _options.IdleTimeout;
        if (_options.IdleTimeout > TimeSpan.Zero && _options.IdleTimeout < period) period = _options.IdleTimeout;
        _lastReceived = _clock.GetTimestamp();
        // Twice per period: silence is noticed at most half a period late.
        _heartbeat = _clock.CreateTimer(static self => ((ZmtpConnection)self!).CheckSilence(), this, period / 2, period / 2);
        if (Failure != ZmtpFailure.None) _heartbeat.Dispose();
    }

    private void CheckSilence()
    {
        if (!_waiting) return;
        var silent = _clock.GetElapsedTime(Volatile.Read(ref _lastReceived));
        if (_options.IdleTimeout > TimeSpan.Zero && silent >= _options.IdleTimeout)
        {
            Fail(ZmtpFailure.IdleTimeout);
            return;
        }
        if (_session.PeerMinorVersion < 1 || _options.HeartbeatInterval <= TimeSpan.Zero || silent < _options.HeartbeatInterval) return;
        if (silent >= _options.HeartbeatTimeout)
        {
            Fail(ZmtpFailure.HeartbeatTimeout);
            return;
        }
        var ping = new ArrayBufferWriter<byte>(16);
        ZmtpCommands.WritePing(ping, _options.HeartbeatTimeout);
        _sender.Send(ping.WrittenSpan);
    }
}
