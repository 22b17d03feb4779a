using System.Net.Sockets;
using System.Threading.Tasks.Sources;
using Mesh.Gateway.Metrics;
using Mesh.Gateway.Transport;

namespace Mesh.Gateway.Upstream.Http1;

/// <summary>
/// One connection to an endpoint. A receive is always under way, also while the connection is idle or a request is sent: so its end is seen
/// when it happens, at no cost. One exchange at a time; only <see cref="Abort"/> and <see cref="Close"/> may be called from any thread.
/// </summary>
internal sealed partial class UpstreamConnection : IReceiver, IValueTaskSource<UpstreamChunk>, IValueTaskSource<UpstreamFailure>
{
    private const int SmallBufferBytes = 2 * 1024;
    private const int LargeBufferBytes = 32 * 1024;

    // Nobody needs more than one or two; an endless row of them is an attack.
    private const int MaxInterimHeads = 8;

    private readonly UpstreamSocket _socket;
    private readonly UpstreamLimits _limits;
    private ManualResetValueTaskSourceCore<bool> _signal;
    private byte[]? _buffer;
    private int _start;
    private int _end;
    private int _receive;
    private int _endedBy;
    private int _quietSeconds;
    private bool _seesEnd;
    private bool _awaitsHead;
    private bool _hasNoBody;
    private bool _isBodyRead;
    private bool _receivedAny;
    private int _interimHeads;
    private AnswerHead _head;
    private ChunkedDecoder _chunks;
    private long _left;
    private UpstreamChunk _chunk;
    private UpstreamFailure _failure;
    private string? _detail;

    /// <param name="socket">A connected socket; the connection owns it.</param>
    /// <param name="pool">Where it goes back to.</param>
    /// <param name="limits">Bounds.</param>
    public UpstreamConnection(UpstreamSocket socket, EndpointPool pool, UpstreamLimits limits)
    {
        _socket = socket;
        _socket.Receiver = this;
        _limits = limits;
        Pool = pool;
    }

    // What the receive is doing. Every change goes through Interlocked: its completion comes on a thread of its own.
    private static class Receive
    {
        /// <summary>None is under way.</summary>
        public const int None = 0;

        /// <summary>Under way, nobody waits.</summary>
        public const int Pending = 1;

        /// <summary>Under way, somebody waits.</summary>
        public const int Awaited = 2;

        /// <summary>It completed while nobody waited.</summary>
        public const int Completed = 3;

        /// <summary>The connection is closed; what completes is thrown away.</summary>
        public const int Closed = 4;
    }

    /// <summary>Where it goes back to.</summary>
    public EndpointPool Pool { get; }

    /// <summary>The loop that tells of its bytes; null where there is none.</summary>
    public SocketLoop? Loop => _socket.Loop;

    /// <summary>The answer's head, once it is there.</summary>
    public ref readonly AnswerHead Head => ref _head;

    /// <summary>The head's bytes, until the body is read.</summary>
    public ReadOnlySpan<byte> HeadBytes => _buffer.AsSpan(_start - _head.Length, _head.Length);

    /// <summary>True once a byte has come since the request began: the endpoint has seen it.</summary>
    public bool ReceivedAny => _receivedAny;

    /// <summary>For logs; null without a failure.</summary>
    public string? Detail => _detail;

    /// <summary>True when the next request may be sent here.</summary>
    public bool IsReusable => _isBodyRead && _head.KeepsConnection && !_seesEnd && _start == _end && Volatile.Read(ref _endedBy) == 0 && Volatile.Read(ref _receive) == Receive.None;

    /// <summary>True when an idle connection has been closed by the endpoint, or sent what nobody asked for.</summary>
    public bool HasEndedIdle => Volatile.Read(ref _receive) != Receive.Pending;

    /// <summary>Links of the pool's lists, guarded by its lock.</summary>
    public UpstreamConnection? Next { get; set; }

    /// <summary>The one before.</summary>
    public UpstreamConnection? Previous { get; set; }

    /// <summary>True while the pool may hand it out; guarded by the pool's lock.</summary>
    public bool IsIdle { get; set; }

    /// <summary>Begins the receive that watches an idle or new connection. False when it has ended already.</summary>
    public bool Watch()
    {
        ShrinkBuffer();
        Volatile.Write(ref _receive, Receive.Pending);
        if (StartReceive()) return true;
        Volatile.Write(ref _receive, Receive.None);
        return false;
    }

    /// <summary>As <see cref="Watch"/>, for a new connection: what ended at once is left for the exchange to find.</summary>
    public void WatchNew()
    {
        Volatile.Write(ref _receive, Receive.Pending);
        if (!StartReceive()) Volatile.Write(ref _receive, Receive.Completed);
    }

    /// <summary>A request begins.</summary>
    /// <param name="isHead">True for HEAD, whose answer has no body.</param>
    public void Begin(bool isHead)
    {
        _awaitsHead = true;
        _hasNoBody = isHead;
        _isBodyRead = _receivedAny = _seesEnd = false;
        _interimHeads = 0;
        _chunks = default;
        _failure = UpstreamFailure.None;
        _detail = null;
        Volatile.Write(ref _quietSeconds, 0);
    }

    /// <summary>Sends bytes. False when the connection has ended; an answer may have come all the same.</summary>
    public ValueTask<bool> SendAsync(ReadOnlyMemory<byte> bytes)
    {
        int sent;
        SocketError error;
        try
        {
            sent = _socket.Send(bytes.Span, out error);
        }
        catch (ObjectDisposedException)
        {
            return new ValueTask<bool>(false);
        }

        if (error == SocketError.Success && sent == bytes.Length) return new ValueTask<bool>(true);
        if (error is not (SocketError.Success or SocketError.WouldBlock)) return new ValueTask<bool>(false);
        return SendRestAsync(bytes[Math.Max(sent, 0)..]);
    }

    /// <summary>Waits for the head of the answer.</summary>
    public ValueTask<UpstreamFailure> WaitForHeadAsync()
    {
        _signal.Reset();
        if (Interlocked.CompareExchange(ref _receive, Receive.Awaited, Receive.Pending) == Receive.Pending) return new ValueTask<UpstreamFailure>(this, _signal.Version);
        Interlocked.CompareExchange(ref _receive, Receive.Awaited, Receive.Completed);
        return Advance() ? new ValueTask<UpstreamFailure>(_failure) : new ValueTask<UpstreamFailure>(this, _signal.Version);
    }

    /// <summary>The next bytes of the body; see <see cref="IUpstreamResponse.ReadAsync"/>.</summary>
    public ValueTask<UpstreamChunk> ReadAsync()
    {
        if (TryDeliver()) return new ValueTask<UpstreamChunk>(_chunk);
        _signal.Reset();
        Volatile.Write(ref _quietSeconds, 0);
        if (Interlocked.CompareExchange(ref _receive, Receive.Awaited, Receive.None) != Receive.None) return new ValueTask<UpstreamChunk>(Aborted());
        if (StartReceive()) return new ValueTask<UpstreamChunk>(this, _signal.Version);
        return Advance() ? new ValueTask<UpstreamChunk>(_chunk) : new ValueTask<UpstreamChunk>(this, _signal.Version);
    }

    /// <summary>Ends the exchange early: what waits fails with this. The first reason counts. Any thread.</summary>
    public void Abort(UpstreamFailure failure)
    {
        if (Interlocked.CompareExchange(ref _endedBy, (int)failure, 0) == 0) _socket.Dispose();
    }

    /// <summary>Why it is not kept after an exchange; meaningful until it is closed.</summary>
    public Counter WhyNotKept(ConnectionCounters counters) =>
        Volatile.Read(ref _endedBy) != 0 || (_failure == UpstreamFailure.None && !_isBodyRead) ? counters.Aborted : _failure != UpstreamFailure.None ? counters.Broken : counters.NotKept;

    /// <summary>Closes it. Any thread, any number of times.</summary>
    public void Close()
    {
        Interlocked.CompareExchange(ref _endedBy, (int)UpstreamFailure.Cancelled, 0);
        _socket.Dispose();
        // A receive that is under way still owns the buffer; its completion gives it back.
        if (Interlocked.Exchange(ref _receive, Receive.Closed) is Receive.None or Receive.Completed) Free();
    }

    /// <summary>One more second has passed. True when an idle connection is too old; a wait that is too long is aborted.</summary>
    public bool Tick(bool isIdle)
    {
        var quiet = Interlocked.Increment(ref _quietSeconds);
        if (isIdle) return quiet >= (int)_limits.MaxIdleAge.TotalSeconds;
        if (Volatile.Read(ref _receive) != Receive.Awaited) return false;
        var limit = _awaitsHead ? _limits.HeadTimeout : _limits.IdleTimeout;
        // The first tick may come at once.
        if (limit > TimeSpan.Zero && quiet > (int)limit.TotalSeconds) Abort(_awaitsHead ? UpstreamFailure.HeadTimeout : UpstreamFailure.Stalled);
        return false;
    }

    /// <summary>The connection has become idle.</summary>
    public void Rest() => Volatile.Write(ref _quietSeconds, 0);

    UpstreamChunk IValueTaskSource<UpstreamChunk>.GetResult(short token)
    {
        _signal.GetResult(token);
        return _chunk;
    }

    UpstreamFailure IValueTaskSource<UpstreamFailure>.GetResult(short token)
    {
        _signal.GetResult(token);
        return _failure;
    }

    ValueTaskSourceStatus IValueTaskSource<UpstreamChunk>.GetStatus(short token) => _signal.GetStatus(token);

    ValueTaskSourceStatus IValueTaskSource<UpstreamFailure>.GetStatus(short token) => _signal.GetStatus(token);

    void IValueTaskSource<UpstreamChunk>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _signal.OnCompleted(continuation, state, token, flags);

    void IValueTaskSource<UpstreamFailure>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _signal.OnCompleted(continuation, state, token, flags);

    private async ValueTask<bool> SendRestAsync(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            while (!bytes.IsEmpty) bytes = bytes[await _socket.SendAsync(bytes)..];
            return true;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return false;
        }
    }
}
