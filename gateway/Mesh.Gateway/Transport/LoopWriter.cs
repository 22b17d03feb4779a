using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Threading.Tasks.Sources;

namespace Mesh.Gateway.Transport;

/// <summary>
/// What a server writes to a client: it leaves when it is flushed, on the thread that flushes. What the socket does not take waits until the socket has room; the flush
/// completes when all of it has left. No memory is held between flushes.
/// </summary>
/// <param name="socket">The client's socket.</param>
/// <param name="onFailure">The socket takes nothing any more.</param>
/// <param name="onCompleted">Nothing more will be written, and all that was has left or cannot.</param>
internal sealed class LoopWriter(SafeHandle socket, Action<SocketError> onFailure, Action onCompleted) : PipeWriter, IValueTaskSource<FlushResult>
{
    private const int FirstBytes = 4096;

    private readonly Lock _gate = new();
    private ManualResetValueTaskSourceCore<FlushResult> _flush;
    private CancellationTokenRegistration _cancellation;
    private byte[]? _buffer;
    private int _start;
    private int _flushed;
    private int _end;
    private bool _isWaiting;
    private bool _isFlushCancelled;
    private bool _isClosed;
    private bool _isCompleted;

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => _end - _flushed;

    public override Memory<byte> GetMemory(int sizeHint = 0) => Room(sizeHint);

    public override Span<byte> GetSpan(int sizeHint = 0) => Room(sizeHint).Span;

    public override void Advance(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        lock (_gate)
        {
            if (_end + bytes > (_buffer?.Length ?? 0)) throw new ArgumentOutOfRangeException(nameof(bytes));
            _end += bytes;
        }
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        var error = SocketError.Success;
        try
        {
            lock (_gate)
            {
                cancellationToken.ThrowIfCancellationRequested();
                _flushed = _end;
                if (_isFlushCancelled)
                {
                    _isFlushCancelled = false;
                    return new ValueTask<FlushResult>(new FlushResult(true, _isClosed));
                }

                if (_isClosed || Send(out error))
                {
                    Reset();
                    return new ValueTask<FlushResult>(new FlushResult(false, _isClosed));
                }

                _isWaiting = true;
                _flush.Reset();
            }
        }
        finally
        {
            if (error != SocketError.Success) onFailure(error);
        }

        // Outside of the lock: it may run at once.
        if (cancellationToken.CanBeCanceled) _cancellation = cancellationToken.UnsafeRegister(static (w, t) => ((LoopWriter)w!).CancelFlush(t), this);
        return new ValueTask<FlushResult>(this, _flush.Version);
    }

    public override void CancelPendingFlush()
    {
        lock (_gate)
        {
            if (!_isWaiting)
            {
                _isFlushCancelled = true;
                return;
            }

            _isWaiting = false;
        }

        _flush.SetResult(new FlushResult(true, false));
    }

    public override void Complete(Exception? exception = null)
    {
        SocketError error;
        lock (_gate)
        {
            if (_isCompleted) return;
            _isCompleted = true;
            _flushed = _end;
            if (!_isClosed && !Send(out error) && error == SocketError.Success) return;
            Reset();
        }

        onCompleted();
    }

    /// <summary>The socket has room again. The loop's thread.</summary>
    public void OnWritable()
    {
        SocketError error;
        bool tell;
        bool isClosed;
        lock (_gate)
        {
            if (_start == _flushed || _isClosed) return;
            if (!Send(out error) && error == SocketError.Success) return;
            isClosed = _isClosed;
            tell = _isWaiting;
            _isWaiting = false;
            // Somebody who writes while nobody waits may hold memory of the buffer.
            if (tell || _isCompleted) Reset();
        }

        if (tell) _flush.SetResult(new FlushResult(false, isClosed));
        if (error != SocketError.Success) onFailure(error);
        if (_isCompleted) onCompleted();
    }

    /// <summary>The socket is closed: what waits ends, what is written from now on is thrown away. Any thread.</summary>
    public void Close()
    {
        bool tell;
        lock (_gate)
        {
            _isClosed = true;
            tell = _isWaiting;
            _isWaiting = false;
            if (tell || _isCompleted) Reset();
        }

        if (tell) _flush.SetResult(new FlushResult(false, true));
    }

    FlushResult IValueTaskSource<FlushResult>.GetResult(short token)
    {
        _cancellation.Dispose();
        _cancellation = default;
        return _flush.GetResult(token);
    }

    ValueTaskSourceStatus IValueTaskSource<FlushResult>.GetStatus(short token) => _flush.GetStatus(token);

    void IValueTaskSource<FlushResult>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _flush.OnCompleted(continuation, state, token, flags);

    private void CancelFlush(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (!_isWaiting) return;
            _isWaiting = false;
        }

        _flush.SetException(new OperationCanceledException(cancellationToken));
    }

    private Memory<byte> Room(int sizeHint)
    {
        var needed = Math.Max(sizeHint, 1);
        lock (_gate)
        {
            if (_buffer is null) _buffer = ArrayPool<byte>.Shared.Rent(Math.Max(needed, FirstBytes));
            if (_buffer.Length - _end >= needed) return _buffer.AsMemory(_end);
            var left = _end - _start;
            var larger = ArrayPool<byte>.Shared.Rent((int)Math.Min(Math.Max(left + (long)needed, 2L * left), Array.MaxLength));
            _buffer.AsSpan(_start, left).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = larger;
            _flushed -= _start;
            _end = left;
            _start = 0;
            return _buffer.AsMemory(_end);
        }
    }

    /// <summary>Sends what has been flushed. False when the socket takes no more now, or, with an error, ever.</summary>
    private bool Send(out SocketError error)
    {
        error = SocketError.Success;
        while (_start < _flushed)
        {
            int sent;
            try
            {
                sent = Libc.Send(socket, _buffer.AsSpan(_start, _flushed - _start));
            }
            catch (ObjectDisposedException)
            {
                _isClosed = true;
                return true;
            }

            if (sent >= 0)
            {
                _start += sent;
                continue;
            }

            var code = Marshal.GetLastPInvokeError();
            if (code == Libc.Interrupted) continue;
            if (code == Libc.TryAgain) return false;
            _isClosed = true;
            error = SocketError.ConnectionReset;
            return true;
        }

        return true;
    }

    private void Reset()
    {
        _start = _flushed = _end = 0;
        if (_buffer is not null) ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = null;
    }
}
