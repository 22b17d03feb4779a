using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Mesh.Zmtp.MessagePack;

namespace Mesh.Simulation.KvEvents;

/// <summary>
/// Writes the events of one batch in vLLM's encodings: maps with hashes as byte strings, or, as older servers do, arrays with integers.
/// Not thread-safe.
/// </summary>
internal sealed class KvBatchEncoder(bool oldEncoding)
{
    private const int HashBytes = 32;
    private readonly ArrayBufferWriter<byte> _events = new(4096);
    private int _count;

    public bool IsEmpty => _count == 0;

    /// <summary>Blocks were stored.</summary>
    /// <param name="hashes">Their hashes.</param>
    /// <param name="parent">Hash of the block before; null where the prompt begins.</param>
    /// <param name="tokens">Their tokens.</param>
    /// <param name="blockTokens">Tokens per block.</param>
    /// <param name="adapter">Adapter, or null.</param>
    /// <param name="salt">Cache salt, which stands in the first block's extra keys; null without.</param>
    public void Stored(ReadOnlySpan<ulong> hashes, ulong? parent, ReadOnlySpan<int> tokens, int blockTokens, string? adapter, string? salt)
    {
        _count++;
        var writer = new MessagePackWriter(_events);
        if (oldEncoding)
        {
            writer.WriteArrayHeader(6);
            writer.WriteString("BlockStored"u8);
        }
        else
        {
            writer.WriteMapHeader(9);
            Name(writer, "type"u8);
            writer.WriteString("BlockStored"u8);
        }
        Name(writer, "block_hashes"u8);
        Hashes(writer, hashes);
        Name(writer, "parent_block_hash"u8);
        if (parent is { } hash) Hash(writer, hash);
        else writer.WriteNil();
        Name(writer, "token_ids"u8);
        writer.WriteArrayHeader(tokens.Length);
        foreach (var token in tokens) writer.Write((ulong)(uint)token);
        Name(writer, "block_size"u8);
        writer.Write((ulong)blockTokens);
        Name(writer, "lora_id"u8);
        writer.WriteNil();
        if (oldEncoding) return;
        Name(writer, "medium"u8);
        writer.WriteString("GPU"u8);
        Name(writer, "lora_name"u8);
        Text(writer, adapter);
        Name(writer, "extra_keys"u8);
        writer.WriteArrayHeader(hashes.Length);
        for (var i = 0; i < hashes.Length; i++)
        {
            var salted = i == 0 && parent is null ? salt : null;
            var keys = (adapter is null ? 0 : 1) + (salted is null ? 0 : 1);
            if (keys == 0)
            {
                writer.WriteNil();
                continue;
            }
            writer.WriteArrayHeader(keys);
            if (adapter is not null) Text(writer, adapter);
            if (salted is not null) Text(writer, salted);
        }
    }

    /// <summary>A block was removed.</summary>
    public void Removed(ulong hash)
    {
        _count++;
        var writer = new MessagePackWriter(_events);
        if (oldEncoding)
        {
            writer.WriteArrayHeader(2);
            writer.WriteString("BlockRemoved"u8);
        }
        else
        {
            writer.WriteMapHeader(3);
            Name(writer, "type"u8);
            writer.WriteString("BlockRemoved"u8);
        }
        Name(writer, "block_hashes"u8);
        Hashes(writer, [hash]);
        if (oldEncoding) return;
        Name(writer, "medium"u8);
        writer.WriteString("GPU"u8);
    }

    /// <summary>The whole cache was cleared.</summary>
    public void Cleared()
    {
        _count++;
        var writer = new MessagePackWriter(_events);
        if (oldEncoding) writer.WriteArrayHeader(1);
        else writer.WriteMapHeader(1);
        Name(writer, "type"u8);
        writer.WriteString("AllBlocksCleared"u8);
    }

    /// <summary>The batch; the next one begins empty.</summary>
    public byte[] Take(double timestampSeconds)
    {
        var batch = new ArrayBufferWriter<byte>(_events.WrittenCount + 64);
        var writer = new MessagePackWriter(batch);
        if (oldEncoding) writer.WriteArrayHeader(3);
        else writer.WriteMapHeader(3);
        Name(writer, "ts"u8);
        writer.Write(timestampSeconds);
        Name(writer, "events"u8);
        writer.WriteArrayHeader(_count);
        batch.Write(_events.WrittenSpan);
        Name(writer, "data_parallel_rank"u8);
        writer.Write(0UL);
        _events.ResetWrittenCount();
        _count = 0;
        return batch.WrittenSpan.ToArray();
    }

    private static void Text(MessagePackWriter writer, string? text)
    {
        if (text is null) writer.WriteNil();
        else writer.WriteString(Encoding.UTF8.GetBytes(text));
    }

    private void Name(MessagePackWriter writer, ReadOnlySpan<byte> name)
    {
        if (!oldEncoding) writer.WriteString(name);
    }

    private void Hashes(MessagePackWriter writer, ReadOnlySpan<ulong> hashes)
    {
        writer.WriteArrayHeader(hashes.Length);
        foreach (var hash in hashes) Hash(writer, hash);
    }

    private void Hash(MessagePackWriter writer, ulong hash)
    {
        if (oldEncoding)
        {
            writer.Write(hash);
            return;
        }
        Span<byte> bytes = stackalloc byte[HashBytes];
        bytes.Clear();
        BinaryPrimitives.WriteUInt64BigEndian(bytes[(HashBytes - sizeof(ulong))..], hash);
        writer.WriteBinary(bytes);
    }
}
