using System.Runtime.CompilerServices;

namespace Mesh.Zmtp;

/// <summary>Where the frames of one message lie, counted from the message's first byte. At most <see cref="Capacity"/> frames.</summary>
internal struct ZmtpFrameTable
{
    /// <summary>Most frames of one message; the events' messages have three.</summary>
    public const int Capacity = 16;

    private Ranges _ranges;

    public int Count { get; private set; }

    public void Clear() => Count = 0;

    public bool TryAdd(int start, int length)
    {
        if (Count == Capacity) return false;
        _ranges[Count++] = (start, length);
        return true;
    }

    public readonly (int Start, int Length) this[int index] =>
        (uint)index < (uint)Count ? _ranges[index] : throw new ArgumentOutOfRangeException(nameof(index));

    [InlineArray(Capacity)]
    private struct Ranges
    {
        private (int Start, int Length) _first;
    }
}

/// <summary>A complete message, in place in the receive buffer: valid until the next read from its connection.</summary>
internal readonly ref struct ZmtpMessage(ReadOnlySpan<byte> bytes, ZmtpFrameTable frames)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private readonly ZmtpFrameTable _frames = frames;

    public int Count => _frames.Count;

    /// <summary>The body of one frame.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such frame.</exception>
    public ReadOnlySpan<byte> this[int index]
    {
        get
        {
            var (start, length) = _frames[index];
            return _bytes.Slice(start, length);
        }
    }
}
