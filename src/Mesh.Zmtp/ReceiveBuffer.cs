using System.Buffers;

namespace Mesh.Zmtp;

/// <summary>
/// Bytes received and not yet consumed, in one pooled array. It grows with what has come, never with what a peer announces, up to a
/// bound, and goes back to its first size when it runs empty. Not thread-safe.
/// </summary>
internal sealed class ReceiveBuffer(int initialBytes, int maxBytes) : IDisposable
{
    private byte[] _bytes = ArrayPool<byte>.Shared.Rent(initialBytes);
    private int _start;
    private int _end;

    public ReadOnlySpan<byte> Unread => _bytes.AsSpan(_start, _end - _start);

    /// <summary>Bytes of memory held.</summary>
    public int CapacityBytes => _bytes.Length;

    /// <summary>Room for the next read: at least one byte. False when the bound is reached.</summary>
    public bool TryGetRoom(out Memory<byte> room)
    {
        if (_start == _end)
        {
            _start = _end = 0;
            if (_bytes.Length > initialBytes * 4) Replace(initialBytes);
        }
        // Move to the front only when the tail is short, so that many small messages in a row are not moved once each.
        if (_bytes.Length - _end < initialBytes / 4 && _start > 0) Compact(_bytes);
        if (_end == _bytes.Length)
        {
            if (_bytes.Length >= maxBytes)
            {
                room = default;
                return false;
            }
            Replace((int)Math.Min((long)_bytes.Length * 2, maxBytes));
        }
        room = _bytes.AsMemory(_end);
        return true;
    }

    /// <summary>Counts bytes that were written into the room.</summary>
    public void Received(int count) => _end += count;

    /// <summary>Drops bytes from the front.</summary>
    public void Consume(int count) => _start += count;

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = [];
        _start = _end = 0;
    }

    private void Replace(int size)
    {
        var old = _bytes;
        var bytes = ArrayPool<byte>.Shared.Rent(size);
        Compact(bytes);
        _bytes = bytes;
        ArrayPool<byte>.Shared.Return(old);
    }

    private void Compact(byte[] target)
    {
        Unread.CopyTo(target);
        _end -= _start;
        _start = 0;
    }
}
