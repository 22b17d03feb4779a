using System.Net;
using System.Net.Sockets;
using System.Threading.Tasks.Sources;

namespace Mesh.Zmtp.Transport;

/// <summary>
/// A socket that a <see cref="ZmtpPoller"/> looks at: what waits for its bytes goes on upon the poller's thread. It is never used
/// asynchronously: the runtime would watch it, too, and wake a thread at every packet.
/// </summary>
internal sealed class PolledTransport(ZmtpPoller poller) : ZmtpTransport, IValueTaskSource<int>
{
    // A peer that sends faster than it is read must not keep the thread from the others: after so many full buffers it waits its turn.
    private const int MaxFullReads = 32;

    private const int Nothing = 0;
    private const int Connecting = 1;
    private const int Receiving = 2;

    private ManualResetValueTaskSourceCore<int> _result;
    private TaskCompletionSource? _writable;
    private volatile Socket? _socket;
    private Memory<byte> _room;
    private int _waitsFor;
    private int _fullReads;
    private int _disposed;

    /// <summary>The socket to look at; null before the first attempt to connect.</summary>
    public Socket? Socket => _socket;

    /// <summary>True once it is of no use any more.</summary>
    public bool IsDisposed => Volatile.Read(ref _disposed) != 0;

    /// <summary>True while bytes are waited for.</summary>
    public bool IsReceiving => Volatile.Read(ref _waitsFor) == Receiving;

    /// <summary>True while room to write is waited for, as at the end of connecting.</summary>
    public bool IsWriting => Volatile.Read(ref _waitsFor) == Connecting || Volatile.Read(ref _writable) is not null;

    public override async ValueTask ConnectAsync(string host, int port, CancellationToken cancellationToken)
    {
        var addresses = await Dns.GetHostAddressesAsync(host, cancellationToken).ConfigureAwait(false);
        using var cancelled = cancellationToken.UnsafeRegister(static self => ((PolledTransport)self!).Complete(Connecting, SocketError.OperationAborted), this);
        poller.Add(this);
        var failure = new SocketException((int)SocketError.HostNotFound);
        foreach (var address in addresses)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ObjectDisposedException.ThrowIf(IsDisposed, this);
            try
            {
                await BeginConnecting(new IPEndPoint(address, port)).ConfigureAwait(false);
                return;
            }
            catch (SocketException e)
            {
                failure = e;
            }
        }
        cancellationToken.ThrowIfCancellationRequested();
        throw failure;
    }

    public override ValueTask<int> ReceiveAsync(Memory<byte> room)
    {
        // The last read filled its room: there is more to come, at once.
        if (_fullReads is > 0 and < MaxFullReads)
        {
            var count = _socket!.Receive(room.Span, SocketFlags.None, out var error);
            if (error == SocketError.Success)
            {
                _fullReads = count == room.Length ? _fullReads + 1 : 0;
                return new ValueTask<int>(count);
            }
            _fullReads = 0;
            if (error != SocketError.WouldBlock) return ValueTask.FromException<int>(new SocketException((int)error));
        }
        _room = room;
        return Begin(Receiving);
    }

    public override async ValueTask<int> SendAsync(ReadOnlyMemory<byte> bytes)
    {
        while (true)
        {
            ObjectDisposedException.ThrowIf(IsDisposed || _socket is null, this);
            var count = _socket.Send(bytes.Span, SocketFlags.None, out var error);
            if (error == SocketError.Success) return count;
            if (error != SocketError.WouldBlock) throw new SocketException((int)error);
            var writable = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            Interlocked.Exchange(ref _writable, writable);
            if (!IsDisposed) await writable.Task.ConfigureAwait(false);
            Volatile.Write(ref _writable, null);
        }
    }

    public override void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        _socket?.Dispose();
        Volatile.Read(ref _writable)?.TrySetResult();
        // The poller ends what waits to receive: its reader must not go on while the poller still writes into its room.
        poller.Wake();
    }

    /// <summary>Looks at the socket, without waiting, and lets go on what waited for it. For the poller's thread. True: something came.</summary>
    /// <param name="hasMore">Raised where there is more to read at once.</param>
    public bool Look(ref bool hasMore)
    {
        var waitsFor = Volatile.Read(ref _waitsFor);
        if (IsDisposed)
        {
            Complete(waitsFor, SocketError.OperationAborted);
            return false;
        }
        try
        {
            if (Volatile.Read(ref _writable) is { } writable && _socket!.Poll(0, SelectMode.SelectWrite)) writable.TrySetResult();
            return waitsFor switch
            {
                Connecting => LookWhetherConnected(_socket!),
                Receiving => LookForBytes(_socket!, ref hasMore),
                _ => false,
            };
        }
        catch (Exception e) when (e is ObjectDisposedException or SocketException)
        {
            Complete(waitsFor, (e as SocketException)?.SocketErrorCode ?? SocketError.OperationAborted);
            return false;
        }
    }

    int IValueTaskSource<int>.GetResult(short token) => _result.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<int>.GetStatus(short token) => _result.GetStatus(token);

    void IValueTaskSource<int>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _result.OnCompleted(continuation, state, token, flags);

    private ValueTask<int> BeginConnecting(IPEndPoint address)
    {
        var socket = Prepare(new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp));
        socket.Blocking = false;
        _socket?.Dispose();
        _socket = socket;
        // Disposed of just now, before this socket was to be seen?
        if (IsDisposed) socket.Dispose();
        try
        {
            socket.Connect(address);
            return new ValueTask<int>(0);
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress)
        {
            return Begin(Connecting);
        }
    }

    private ValueTask<int> Begin(int kind)
    {
        _result.Reset();
        var waiting = new ValueTask<int>(this, _result.Version);
        Interlocked.Exchange(ref _waitsFor, kind);
        // The poller may have looked for the last time.
        if (IsDisposed) Complete(kind, SocketError.OperationAborted);
        return waiting;
    }

    private bool LookWhetherConnected(Socket socket)
    {
        if (!socket.Poll(0, SelectMode.SelectWrite) && !socket.Poll(0, SelectMode.SelectError)) return false;
        Complete(Connecting, (SocketError)(int)socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error)!);
        return true;
    }

    private bool LookForBytes(Socket socket, ref bool hasMore)
    {
        var room = _room.Span;
        var count = socket.Receive(room, SocketFlags.None, out var error);
        if (error == SocketError.WouldBlock) return false;
        var isFull = error == SocketError.Success && count == room.Length;
        _fullReads = isFull ? 1 : 0;
        Complete(Receiving, error, count);
        hasMore |= isFull;
        return true;
    }

    // Whoever gets here first tells the waiter; it goes on in here.
    private void Complete(int kind, SocketError error, int count = 0)
    {
        if (kind == Nothing || Interlocked.CompareExchange(ref _waitsFor, Nothing, kind) != kind) return;
        if (error == SocketError.Success) _result.SetResult(count);
        else _result.SetException(new SocketException((int)error));
    }
}
