using System.Buffers.Binary;
using Mesh.Zmtp.MessagePack;

namespace Mesh.Engine.KvEvents.Events;

/// <summary>
/// The fields of one event as they are read, in whatever order. Fields that the event cannot do without must have their type; the others
/// are left empty when a newer publisher gives them another one.
/// </summary>
internal ref struct KvEventFields(KvScratch scratch)
{
    private readonly KvScratch _scratch = scratch;

    public ReadOnlySpan<ulong> BlockHashes;
    public ReadOnlySpan<int> TokenIds;
    public ReadOnlySpan<byte> Medium;
    public ReadOnlySpan<byte> LoraName;
    public ReadOnlySpan<byte> ExtraKeys;
    public ReadOnlySpan<byte> CacheKind;
    public ulong? ParentBlockHash;
    public long? LoraId;
    public int? GroupIndex;
    public int? SlidingWindow;
    public int BlockSize;
    public bool HasBlockHashes;

    /// <summary>Set with <see cref="KvDecodeError.TooLarge"/> when a read fails for that reason.</summary>
    public KvDecodeError Error;

    /// <summary>Reads the value that stands next as <paramref name="field"/>. False: the batch cannot be read on.</summary>
    public bool TryRead(scoped ref MessagePackReader reader, KvField field)
    {
        switch (field)
        {
            case KvField.BlockHashes:
                HasBlockHashes = true;
                return TryReadHashes(ref reader);
            case KvField.ParentBlockHash:
                if (reader.TryReadNil()) return true;
                if (!TryReadHash(ref reader, out var parent)) return false;
                ParentBlockHash = parent;
                return true;
            case KvField.TokenIds:
                return reader.TryReadNil() || TryReadTokens(ref reader);
            case KvField.BlockSize:
                return reader.TryReadInt32(out BlockSize);
            case KvField.LoraId:
                if (reader.Peek() != MessagePackToken.Integer) return reader.TrySkip();
                if (!reader.TryReadUInt64Bits(out var lora)) return false;
                LoraId = (long)lora;
                return true;
            case KvField.Medium:
                return TryReadText(ref reader, out Medium);
            case KvField.LoraName:
                return TryReadText(ref reader, out LoraName);
            case KvField.CacheKind:
                return TryReadText(ref reader, out CacheKind);
            case KvField.GroupIndex:
                return TryReadSmall(ref reader, out GroupIndex);
            case KvField.SlidingWindow:
                return TryReadSmall(ref reader, out SlidingWindow);
            case KvField.ExtraKeys:
                if (reader.TryReadNil()) return true;
                var start = reader.Position;
                if (!reader.TrySkip()) return false;
                ExtraKeys = reader.Since(start);
                return true;
            default:
                return reader.TrySkip();
        }
    }

    private static bool TryReadHash(scoped ref MessagePackReader reader, out ulong hash)
    {
        if (reader.Peek() != MessagePackToken.Binary) return reader.TryReadUInt64Bits(out hash);
        hash = 0;
        if (!reader.TryReadBinary(out var bytes)) return false;
        if (bytes.Length >= sizeof(ulong))
        {
            hash = BinaryPrimitives.ReadUInt64BigEndian(bytes[^sizeof(ulong)..]);
            return true;
        }
        foreach (var b in bytes) hash = (hash << 8) | b;
        return !bytes.IsEmpty;
    }

    private static bool TryReadText(scoped ref MessagePackReader reader, out ReadOnlySpan<byte> text)
    {
        if (reader.Peek() == MessagePackToken.String) return reader.TryReadString(out text);
        text = default;
        return reader.TrySkip();
    }

    private static bool TryReadSmall(scoped ref MessagePackReader reader, out int? value)
    {
        value = null;
        if (reader.Peek() != MessagePackToken.Integer) return reader.TrySkip();
        if (!reader.TryReadUInt64Bits(out var bits)) return false;
        if (bits <= int.MaxValue) value = (int)bits;
        return true;
    }

    private bool TryReadHashes(scoped ref MessagePackReader reader)
    {
        if (!reader.TryReadArrayHeader(out var count)) return false;
        if (count > KvScratch.MaxBlocks) return TooLarge();
        var hashes = _scratch.Hashes(count);
        for (var i = 0; i < hashes.Length; i++)
        {
            if (!TryReadHash(ref reader, out hashes[i])) return false;
        }
        BlockHashes = hashes;
        return true;
    }

    private bool TryReadTokens(scoped ref MessagePackReader reader)
    {
        if (!reader.TryReadArrayHeader(out var count)) return false;
        if (count > KvScratch.MaxTokens) return TooLarge();
        var tokens = _scratch.Tokens(count);
        for (var i = 0; i < tokens.Length; i++)
        {
            if (!reader.TryReadInt32(out tokens[i])) return false;
        }
        TokenIds = tokens;
        return true;
    }

    private bool TooLarge()
    {
        Error = KvDecodeError.TooLarge;
        return false;
    }
}
