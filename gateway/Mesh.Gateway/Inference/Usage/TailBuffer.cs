using System.Buffers;

namespace Mesh.Gateway.Inference.Usage;

/// <summary>Keeps the last bytes that passed, in pooled memory. A mutable struct: keep it in a field, never copy it.</summary>
internal struct TailBuffer : IDisposable
{
    /// <summary>Bytes kept.</summary>
    public const int Bytes = 1024;

    private byte[]? _ring;
    private int _next;
    private bool _isFull;

    /// <summary>Appends bytes; what is older than <see cref="Bytes"/> is forgotten.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        _ring ??= ArrayPool<byte>.Shared.Rent(Bytes);
        if (bytes.Length >= Bytes)
        {
            bytes[^Bytes..].CopyTo(_ring);
            _next = 0;
            _isFull = true;
            return;
        }

        var first = Math.Min(bytes.Length, Bytes - _next);
        bytes[..first].CopyTo(_ring.AsSpan(_next));
        bytes[first..].CopyTo(_ring);
        _isFull |= _next + bytes.Length >= Bytes;
        _next = (_next + bytes.Length) % Bytes;
    }

    /// <summary>Writes what is kept in its order.</summary>
    /// <param name="target">At least <see cref="Bytes"/> long.</param>
    /// <returns>Bytes written.</returns>
    public readonly int CopyTo(Span<byte> target)
    {
        if (_ring is null) return 0;
        var older = _isFull ? _ring.AsSpan(_next, Bytes - _next) : default;
        older.CopyTo(target);
        _ring.AsSpan(0, _next).CopyTo(target[older.Length..]);
        return older.Length + _next;
    }

    public void Dispose()
    {
        if (_ring is not null) ArrayPool<byte>.Shared.Return(_ring);
        _ring = null;
    }
}
