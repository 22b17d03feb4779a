using System.Buffers;
using System.Net.Sockets;

namespace Mesh.Gateway.Upstream.Http1;

/// <summary>The receive that is always under way: its completion, and the buffer that it fills.</summary>
internal sealed partial class UpstreamConnection
{
    void IReceiver.OnReceived()
    {
        switch (Interlocked.CompareExchange(ref _receive, Receive.Completed, Receive.Pending))
        {
            case Receive.Pending:
                Pool.EndedIdle(this);
                break;
            case Receive.Awaited:
                if (Advance()) _signal.SetResult(true);
                break;
            default:
                Free();
                break;
        }
    }

    /// <summary>
    /// A receive has completed and somebody waits. Takes what came, and receives on until it makes a result. True with one, false when
    /// another receive is under way and will bring it.
    /// </summary>
    private bool Advance()
    {
        do
        {
            var seen = Interlocked.CompareExchange(ref _receive, Receive.None, Receive.Awaited);
            if (seen == Receive.Closed)
            {
                Free();
                Fail(UpstreamFailure.Cancelled, null);
                return true;
            }

            Take();
            if (_awaitsHead ? TryHead() : TryDeliver()) return true;
            if (Interlocked.CompareExchange(ref _receive, Receive.Awaited, Receive.None) != Receive.None)
            {
                Fail(UpstreamFailure.Cancelled, null);
                return true;
            }
        }
        while (!StartReceive());
        return false;
    }

    /// <summary>False when it completed at once; its result stands in the socket.</summary>
    private bool StartReceive()
    {
        MakeRoom();
        return _socket.Receive(_buffer.AsMemory(_end));
    }

    private void MakeRoom()
    {
        if (_buffer is null)
        {
            _buffer = ArrayPool<byte>.Shared.Rent(SmallBufferBytes);
            _start = _end = 0;
            return;
        }

        if (!_awaitsHead && _start == _end)
        {
            var wasFull = _end == _buffer.Length;
            _start = _end = 0;
            // A receive that filled the buffer: this answer comes faster than it is read.
            if (!wasFull || _buffer.Length >= LargeBufferBytes) return;
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = ArrayPool<byte>.Shared.Rent(LargeBufferBytes);
            return;
        }

        if (_end < _buffer.Length) return;
        // Only a head that is not complete stands here: bodies are delivered whole.
        var larger = ArrayPool<byte>.Shared.Rent(_buffer.Length * 2);
        _buffer.AsSpan(_start, _end - _start).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
        _end -= _start;
        _start = 0;
    }

    private void ShrinkBuffer()
    {
        _start = _end = 0;
        if (_buffer is null || _buffer.Length <= SmallBufferBytes) return;
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = null;
    }

    private void Take()
    {
        Volatile.Write(ref _quietSeconds, 0);
        if (_socket.Error != SocketError.Success)
        {
            _seesEnd = true;
            _detail = _socket.Error.ToString();
        }
        else if (_socket.Received == 0)
        {
            _seesEnd = true;
        }
        else
        {
            _receivedAny = true;
            _end += _socket.Received;
        }
    }

    private void Free()
    {
        var buffer = Interlocked.Exchange(ref _buffer, null);
        if (buffer is null) return;
        ArrayPool<byte>.Shared.Return(buffer);
        _socket.Free();
    }
}
