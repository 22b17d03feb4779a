using System.Buffers;

namespace Mesh.Engine.KvEvents.Subscription;

/// <summary>
/// Batches that came while earlier ones are still being replayed, in order, in pooled memory. Full by count or bytes, it refuses: what it
/// refuses shows as a gap afterwards and is replayed in its turn. Not thread-safe.
/// </summary>
internal sealed class LiveBacklog(int maxBatches, long maxBytes)
{
    private readonly Queue<Held> _held = new();

    private readonly record struct Held(ulong Sequence, byte[] Bytes, int Length);

    public int Count => _held.Count;

    /// <summary>Payload bytes held.</summary>
    public long Bytes { get; private set; }

    /// <summary>Keeps a copy of the payload, unless full.</summary>
    public bool TryAdd(ulong sequence, ReadOnlySpan<byte> payload)
    {
        if (_held.Count >= maxBatches || Bytes + payload.Length > maxBytes) return false;
        var copy = ArrayPool<byte>.Shared.Rent(payload.Length);
        payload.CopyTo(copy);
        _held.Enqueue(new Held(sequence, copy, payload.Length));
        Bytes += payload.Length;
        return true;
    }

    /// <summary>Looks at the oldest one; the span is valid until it is dropped.</summary>
    public bool TryPeek(out ulong sequence, out ReadOnlySpan<byte> payload)
    {
        if (!_held.TryPeek(out var held))
        {
            sequence = 0;
            payload = default;
            return false;
        }
        sequence = held.Sequence;
        payload = held.Bytes.AsSpan(0, held.Length);
        return true;
    }

    /// <summary>Drops the oldest one.</summary>
    public void DropFirst()
    {
        var held = _held.Dequeue();
        Bytes -= held.Length;
        ArrayPool<byte>.Shared.Return(held.Bytes);
        // An outage can leave a long queue behind; it is not worth keeping for the next one.
        if (_held.Count == 0) _held.TrimExcess();
    }

    /// <summary>Drops all of them.</summary>
    public void Clear()
    {
        while (_held.Count > 0) DropFirst();
    }
}
