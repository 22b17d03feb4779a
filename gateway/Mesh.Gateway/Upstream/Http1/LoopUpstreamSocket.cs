using System.ComponentModel;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Mesh.Gateway.Transport;

namespace Mesh.Gateway.Upstream.Http1;

/// <summary>
/// A socket on a <see cref="SocketLoop"/>. A receive that is begun where nothing can have come costs no system call: the loop tells when something does.
/// </summary>
internal sealed class LoopUpstreamSocket : UpstreamSocket, ISocketEvents
{
    private readonly Socket _socket;
    private readonly SafeSocketHandle _handle;
    private readonly Lock _gate = new();
    private TaskCompletionSource? _writable;
    private Memory<byte> _buffer;
    private long _key;
    private int _state;
    private bool _isDisposed;
    private volatile bool _sawHangUp;

    private LoopUpstreamSocket(Socket socket)
    {
        _socket = socket;
        _handle = socket.SafeHandle;
        Loop = SocketLoop.Current ?? SocketLoop.Next();
    }

    // Where the receive stands. Every change goes through Interlocked.
    private static class State
    {
        /// <summary>None is under way, and as far as is known nothing has come.</summary>
        public const int Empty = 0;

        /// <summary>None is under way; something may have come.</summary>
        public const int Ready = 1;

        /// <summary>One is under way.</summary>
        public const int Armed = 2;

        /// <summary>The loop receives for the one that was under way.</summary>
        public const int Receiving = 3;

        /// <summary>Disposed.</summary>
        public const int Closed = 4;
    }

    /// <summary>Connects.</summary>
    /// <exception cref="SocketException">It was refused, or cannot be reached.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static async ValueTask<LoopUpstreamSocket> ConnectAsync(IPEndPoint address, CancellationToken cancellationToken)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, Blocking = false };
        var made = new LoopUpstreamSocket(socket);
        try
        {
            var connected = made.WaitForRoom();
            if (Libc.Connect(made._handle, address.Serialize().Buffer.Span) < 0 && Marshal.GetLastPInvokeError() is var code and not Libc.InProgress) throw new Win32Exception(code);
            made.Register();
            await connected.WaitAsync(cancellationToken);
            if ((int)socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error)! is var error and not 0) throw new SocketException(error);
            return made;
        }
        catch (Win32Exception e) when (e is not SocketException)
        {
            made.Dispose();
            throw new SocketException((int)SocketError.NetworkUnreachable, e.Message);
        }
        catch
        {
            made.Dispose();
            throw;
        }
    }

    public override bool Receive(Memory<byte> buffer)
    {
        _buffer = buffer;
        while (true)
        {
            // A socket that has ended may not tell again.
            if (_sawHangUp) Interlocked.CompareExchange(ref _state, State.Ready, State.Empty);
            var seen = Interlocked.CompareExchange(ref _state, State.Armed, State.Empty);
            if (seen == State.Empty) return true;
            if (seen == State.Ready) seen = Interlocked.CompareExchange(ref _state, State.Empty, State.Ready);
            if (seen == State.Closed)
            {
                (Received, Error) = (0, SocketError.OperationAborted);
                return false;
            }

            if (!TryReceive()) continue;
            if (Received == _buffer.Length) Interlocked.CompareExchange(ref _state, State.Ready, State.Empty);
            return false;
        }
    }

    public override int Send(ReadOnlySpan<byte> bytes, out SocketError error)
    {
        while (true)
        {
            var sent = Libc.Send(_handle, bytes);
            error = SocketError.Success;
            if (sent >= 0) return sent;
            var code = Marshal.GetLastPInvokeError();
            if (code == Libc.Interrupted) continue;
            error = code == Libc.TryAgain ? SocketError.WouldBlock : SocketError.ConnectionReset;
            return -1;
        }
    }

    public override async ValueTask<int> SendAsync(ReadOnlyMemory<byte> bytes)
    {
        while (true)
        {
            // Waited for first: room that comes between the attempt and the wait must not be missed.
            var room = WaitForRoom();
            var sent = Send(bytes.Span, out var error);
            if (sent >= 0) return sent;
            if (error != SocketError.WouldBlock) throw new SocketException((int)error);
            await room;
            ObjectDisposedException.ThrowIf(_isDisposed, this);
        }
    }

    public override void Dispose()
    {
        lock (_gate)
        {
            if (_isDisposed) return;
            _isDisposed = true;
        }

        if (_key != 0) Loop!.Remove(_key);
        _socket.Dispose();
        TellRoom();
        if (Interlocked.Exchange(ref _state, State.Closed) != State.Armed) return;
        (Received, Error) = (0, SocketError.OperationAborted);
        // Not here: whoever closes a connection may hold what the receiver needs.
        ThreadPool.UnsafeQueueUserWorkItem(static s => s.Receiver!.OnReceived(), this, preferLocal: false);
    }

    public void OnEvents(uint events)
    {
        if ((events & (Libc.HangUp | Libc.Error | Libc.ReadHangUp)) != 0) _sawHangUp = true;
        if ((events & (Libc.Out | Libc.HangUp | Libc.Error)) != 0 && _writable is not null) TellRoom();
        if ((events & ~Libc.Out) == 0) return;
        if (Interlocked.CompareExchange(ref _state, State.Ready, State.Empty) != State.Armed) return;
        // From here on the buffer is not given up before this has told its receiver, whoever disposes the socket meanwhile.
        if (Interlocked.CompareExchange(ref _state, State.Receiving, State.Armed) != State.Armed) return;
        var has = TryReceive();
        var next = !has ? State.Armed : Received == _buffer.Length ? State.Ready : State.Empty;
        var seen = Interlocked.CompareExchange(ref _state, next, State.Receiving);
        if (seen == State.Closed) (Received, Error) = (0, SocketError.OperationAborted);
        else if (!has) return;
        Receiver!.OnReceived();
    }

    private void Register()
    {
        var key = Loop!.Add(_handle, this);
        lock (_gate)
        {
            _key = key;
            if (!_isDisposed) return;
        }

        Loop!.Remove(key);
    }

    /// <summary>False when there is nothing to receive now.</summary>
    private bool TryReceive()
    {
        while (true)
        {
            try
            {
                var received = Libc.Receive(_handle, _buffer.Span);
                if (received >= 0)
                {
                    (Received, Error) = (received, SocketError.Success);
                    return true;
                }
            }
            catch (ObjectDisposedException)
            {
                (Received, Error) = (0, SocketError.OperationAborted);
                return true;
            }

            var code = Marshal.GetLastPInvokeError();
            if (code == Libc.Interrupted) continue;
            if (code == Libc.TryAgain)
            {
                _sawHangUp = false;
                return false;
            }

            (Received, Error) = (0, SocketError.ConnectionReset);
            return true;
        }
    }

    private Task WaitForRoom()
    {
        lock (_gate)
        {
            if (_isDisposed) return Task.CompletedTask;
            _writable ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _writable.Task;
        }
    }

    private void TellRoom()
    {
        TaskCompletionSource? waiting;
        lock (_gate)
        {
            waiting = _writable;
            _writable = null;
        }

        waiting?.TrySetResult();
    }
}
