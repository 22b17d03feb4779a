using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace Mesh.Gateway.Transport;

/// <summary>A client's connection on a <see cref="SocketLoop"/>: the server reads what the loop received, and writes to the socket itself.</summary>
internal sealed class LoopConnection : ConnectionContext, ISocketEvents, IDuplexPipe, IMemoryPoolFeature
{
    // A client that sends fast must not keep its loop from the others: what comes beyond this is received on the thread pool.
    private const int MaxBytesAtOnce = 256 * 1024;

    private readonly Socket _socket;
    private readonly SafeSocketHandle _handle;
    private readonly SocketLoop _loop;
    private readonly Pipe _input;
    private readonly LoopWriter _output;
    private readonly CancellationTokenSource _closed = new();
    private readonly Action _resume;
    private ValueTaskAwaiter<FlushResult> _flushing;
    private IDictionary<object, object?>? _items;
    private Exception? _reason;
    private long _key;
    private int _pump;
    private int _isClosed;
    private int _isEnded;
    private volatile bool _sawHangUp;

    /// <param name="socket">Accepted socket; the connection owns it.</param>
    /// <param name="memory">Where received bytes lie.</param>
    /// <param name="maxUnreadBytes">Bytes that are received ahead of the server.</param>
    public LoopConnection(Socket socket, MemoryPool<byte> memory, long maxUnreadBytes)
    {
        _socket = socket;
        _handle = socket.SafeHandle;
        _loop = SocketLoop.Next();
        _resume = Resume;
        MemoryPool = memory;
        _input = new Pipe(new PipeOptions(memory, PipeScheduler.Inline, PipeScheduler.Inline, maxUnreadBytes, maxUnreadBytes / 2, useSynchronizationContext: false));
        _output = new LoopWriter(_handle, _ => Close(null), () => Close(null));
        ConnectionClosed = _closed.Token;
        LocalEndPoint = socket.LocalEndPoint;
        RemoteEndPoint = socket.RemoteEndPoint;
        var features = new FeatureCollection(2);
        features.Set<IMemoryPoolFeature>(this);
        Features = features;
    }

    // What receives at the moment. Every change goes through Interlocked.
    private static class Pump
    {
        public const int Idle = 0;
        public const int Running = 1;

        /// <summary>Running, and more has come meanwhile.</summary>
        public const int Again = 2;

        /// <summary>The server has more unread than it may.</summary>
        public const int Paused = 3;
    }

    public override string ConnectionId { get; set; } = ConnectionIds.Next();

    public override IFeatureCollection Features { get; }

    public override IDictionary<object, object?> Items
    {
        get => _items ??= new ConnectionItems();
        set => _items = value;
    }

    public override IDuplexPipe Transport
    {
        get => field ?? this;
        set;
    }

    public MemoryPool<byte> MemoryPool { get; }

    PipeReader IDuplexPipe.Input => _input.Reader;

    PipeWriter IDuplexPipe.Output => _output;

    /// <summary>Begins to receive.</summary>
    public void Start() => _key = _loop.Add(_handle, this);

    public void OnEvents(uint events)
    {
        if ((events & (Libc.HangUp | Libc.Error | Libc.ReadHangUp)) != 0) _sawHangUp = true;
        if ((events & Libc.Out) != 0) _output.OnWritable();
        if ((events & ~Libc.Out) != 0) Receive();
    }

    public override void Abort(ConnectionAbortedException abortReason) => Close(abortReason);

    public override ValueTask DisposeAsync()
    {
        _input.Reader.Complete();
        _output.Complete();
        Close(null);
        return ValueTask.CompletedTask;
    }

    private void Receive()
    {
        while (true)
        {
            var seen = Volatile.Read(ref _pump);
            if (seen is Pump.Again or Pump.Paused) return;
            var next = seen == Pump.Idle ? Pump.Running : Pump.Again;
            if (Interlocked.CompareExchange(ref _pump, next, seen) != seen) continue;
            if (next == Pump.Running) Run();
            return;
        }
    }

    private void Run()
    {
        while (true)
        {
            // Whoever is told that more has come from now on does not have to come here.
            Interlocked.Exchange(ref _pump, Pump.Running);
            if (!ReceiveAll()) return;
            if (Interlocked.CompareExchange(ref _pump, Pump.Idle, Pump.Running) == Pump.Running) return;
        }
    }

    /// <summary>Receives until nothing is left. False when nothing may be received any more, or not now.</summary>
    private bool ReceiveAll()
    {
        var total = 0;
        while (true)
        {
            int received;
            int room;
            try
            {
                var memory = _input.Writer.GetMemory();
                room = memory.Length;
                received = Libc.Receive(_handle, memory.Span);
            }
            catch (Exception e) when (e is ObjectDisposedException or InvalidOperationException)
            {
                End(null);
                return false;
            }

            if (received <= 0)
            {
                var code = received < 0 ? Marshal.GetLastPInvokeError() : 0;
                if (code == Libc.Interrupted) continue;
                if (code == Libc.TryAgain) return true;
                End(received == 0 ? null : new ConnectionResetException("The client reset the connection."));
                return false;
            }

            // A socket that gave less than there was room for is empty, and tells when more comes; its end alone may already be there.
            var isEmpty = received < room && !_sawHangUp;
            _input.Writer.Advance(received);
            var flushing = _input.Writer.FlushAsync();
            if (!flushing.IsCompleted)
            {
                Volatile.Write(ref _pump, Pump.Paused);
                _flushing = flushing.GetAwaiter();
                _flushing.UnsafeOnCompleted(_resume);
                return false;
            }

            if (flushing.Result.IsCompleted || flushing.Result.IsCanceled)
            {
                End(null);
                return false;
            }

            if (isEmpty) return true;
            total += received;
            if (total < MaxBytesAtOnce) continue;
            ThreadPool.UnsafeQueueUserWorkItem(static c => c.Run(), this, preferLocal: false);
            return false;
        }
    }

    private void Resume()
    {
        var result = _flushing.GetResult();
        if (result.IsCompleted || result.IsCanceled) End(null);
        else Run();
    }

    /// <summary>Nothing more comes: the server reads what is left, and learns that the client is gone.</summary>
    private void End(Exception? error)
    {
        if (Interlocked.Exchange(ref _isEnded, 1) != 0) return;
        _input.Writer.Complete(Volatile.Read(ref _reason) ?? error);
        ThreadPool.UnsafeQueueUserWorkItem(static c => c.FireClosed(), this, preferLocal: false);
    }

    private void FireClosed()
    {
        try
        {
            _closed.Cancel();
        }
        catch (AggregateException)
        {
            // A callback of the server's; the connection is over all the same.
        }
    }

    private void Close(Exception? reason)
    {
        if (Interlocked.Exchange(ref _isClosed, 1) != 0) return;
        Volatile.Write(ref _reason, reason ?? new ConnectionAbortedException("The connection was closed."));
        _loop.Remove(_key);
        try
        {
            _socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It is gone already.
        }

        _socket.Dispose();
        _output.Close();
        // The loop tells nothing any more, so this ends the input, unless somebody is receiving at this moment and finds it closed.
        Receive();
        if (Volatile.Read(ref _pump) == Pump.Paused) _input.Writer.CancelPendingFlush();
    }
}
