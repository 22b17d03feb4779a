using System.Buffers;

namespace Mesh.Engine.Http;

/// <summary>A response's body, read as a whole into pooled memory. Dispose to give the memory back.</summary>
internal readonly struct PooledBody : IDisposable
{
    private const int FirstBufferBytes = 32 << 10;
    private readonly byte[] _buffer;
    private readonly int _length;

    private PooledBody(byte[] buffer, int length)
    {
        _buffer = buffer;
        _length = length;
    }

    /// <summary>The bytes, valid until disposal.</summary>
    public ReadOnlyMemory<byte> Memory => _buffer.AsMemory(0, _length);

    /// <summary>Reads to the end; null when the body is larger than <paramref name="maxBytes"/>, of which the rest is not read.</summary>
    public static async ValueTask<PooledBody?> ReadAsync(HttpResponseMessage response, int maxBytes, CancellationToken cancellationToken)
    {
        var declared = response.Content.Headers.ContentLength;
        if (declared > maxBytes) return null;

        var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        // One byte more than needed, so that the read that finds the end has room.
        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(maxBytes, declared ?? FirstBufferBytes) + 1);
        var length = 0;
        try
        {
            while (true)
            {
                if (length == buffer.Length) buffer = Grow(buffer, length);
                var read = await stream.ReadAsync(buffer.AsMemory(length), cancellationToken).ConfigureAwait(false);
                if (read == 0) return new PooledBody(buffer, length);
                length += read;
                if (length <= maxBytes) continue;
                ArrayPool<byte>.Shared.Return(buffer);
                return null;
            }
        }
        catch
        {
            ArrayPool<byte>.Shared.Return(buffer);
            throw;
        }
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(_buffer);

    private static byte[] Grow(byte[] buffer, int length)
    {
        var larger = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
        buffer.AsSpan(0, length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(buffer);
        return larger;
    }
}
