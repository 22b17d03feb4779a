using Mesh.Zmtp.MessagePack;

namespace Mesh.Engine.KvEvents.Events;

/// <summary>
/// Reads a batch of events and hands each to a sink. A batch is <c>{ts, events, data_parallel_rank}</c> or the array of those three; an
/// event is a map whose <c>type</c> names it, or an array that begins with its name. Publishers mix the two: each level is taken as it
/// comes. Fields and events not known are skipped, nothing is allocated from one batch to the next. Not thread-safe.
/// </summary>
internal sealed class KvBatchDecoder
{
    private readonly KvScratch _scratch = new();
    private IKvEventSink? _sink;
    private ulong _sequence;
    private double _timestamp;
    private KvDecodeError _error;
    private int _stored, _removed, _cleared, _unknown;
    private int? _rank;

    /// <summary>Bytes of memory held between batches.</summary>
    public long ScratchBytes => _scratch.Bytes;

    /// <summary>Reads one payload.</summary>
    public KvDecodeResult Decode(ReadOnlySpan<byte> payload, ulong sequence, IKvEventSink sink)
    {
        (_sink, _sequence, _timestamp, _error, _rank) = (sink, sequence, double.NaN, KvDecodeError.None, null);
        _stored = _removed = _cleared = _unknown = 0;
        var reader = new MessagePackReader(payload);
        var whole = reader.Peek() switch
        {
            MessagePackToken.Array => TryReadArrayBatch(ref reader),
            MessagePackToken.Map => TryReadMapBatch(ref reader),
            _ => Fail(reader.IsAtEnd ? KvDecodeError.NotMessagePack : KvDecodeError.NotABatch),
        };
        if (!whole && _error == KvDecodeError.None) _error = Classify(reader.Error);
        _sink = null;
        _scratch.Trim();
        return new KvDecodeResult(_error, reader.Position, _stored, _removed, _cleared, _unknown, _rank);
    }

    private static KvDecodeError Classify(MessagePackError error) => error switch
    {
        MessagePackError.None or MessagePackError.WrongType or MessagePackError.OutOfRange => KvDecodeError.BadEvent,
        _ => KvDecodeError.NotMessagePack,
    };

    private bool TryReadArrayBatch(ref MessagePackReader reader)
    {
        if (!reader.TryReadArrayHeader(out var count)) return false;
        if (count < 2) return Fail(KvDecodeError.NotABatch);
        if (!TryReadTimestamp(ref reader) || !TryReadEvents(ref reader)) return false;
        for (var i = 2; i < count; i++)
        {
            if (!(i == 2 ? TryReadRank(ref reader) : reader.TrySkip())) return false;
        }
        return true;
    }

    private bool TryReadMapBatch(ref MessagePackReader reader)
    {
        if (!reader.TryReadMapHeader(out var pairs)) return false;
        var hasEvents = false;
        for (var i = 0; i < pairs; i++)
        {
            if (!reader.TryReadString(out var key)) return Fail(KvDecodeError.NotABatch);
            bool read;
            if (key.SequenceEqual("ts"u8)) read = TryReadTimestamp(ref reader);
            else if (key.SequenceEqual("events"u8)) read = hasEvents = TryReadEvents(ref reader);
            else if (key.SequenceEqual("data_parallel_rank"u8)) read = TryReadRank(ref reader);
            else read = reader.TrySkip();
            if (!read) return false;
        }
        return hasEvents || Fail(KvDecodeError.NotABatch);
    }

    private bool TryReadTimestamp(ref MessagePackReader reader) =>
        reader.TryReadDouble(out _timestamp) || (reader.Error == MessagePackError.WrongType && Fail(KvDecodeError.NotABatch));

    private bool TryReadRank(ref MessagePackReader reader)
    {
        if (reader.Peek() != MessagePackToken.Integer) return reader.TrySkip();
        if (!reader.TryReadUInt64Bits(out var rank)) return false;
        if (rank <= int.MaxValue) _rank = (int)rank;
        return true;
    }

    private bool TryReadEvents(ref MessagePackReader reader)
    {
        if (!reader.TryReadArrayHeader(out var count)) return reader.Error == MessagePackError.WrongType && Fail(KvDecodeError.NotABatch);
        for (var i = 0; i < count; i++)
        {
            var read = reader.Peek() switch
            {
                MessagePackToken.Array => TryReadArrayEvent(ref reader),
                MessagePackToken.Map => TryReadMapEvent(ref reader),
                _ => TryPassOver(ref reader),
            };
            if (!read) return false;
        }
        return true;
    }

    private bool TryReadArrayEvent(ref MessagePackReader reader)
    {
        var start = reader;
        if (!reader.TryReadArrayHeader(out var count)) return false;
        if (count == 0 || reader.Peek() != MessagePackToken.String)
        {
            reader = start;
            return TryPassOver(ref reader);
        }
        if (!reader.TryReadString(out var tag)) return false;
        var type = KvFields.TypeOf(tag);
        if (type == KvEventType.Unknown)
        {
            reader = start;
            return TryPassOver(ref reader);
        }
        var fields = new KvEventFields(_scratch);
        for (var i = 1; i < count; i++)
        {
            if (!fields.TryRead(ref reader, type == KvEventType.AllBlocksCleared ? KvField.Unknown : KvFields.At(type, i - 1))) return Fail(fields.Error);
        }
        return TryDeliver(type, in fields);
    }

    private bool TryReadMapEvent(ref MessagePackReader reader)
    {
        var start = reader;
        var type = FindType(reader);
        if (type == KvEventType.Unknown) return TryPassOver(ref reader);
        reader = start;
        if (!reader.TryReadMapHeader(out var pairs)) return false;
        var fields = new KvEventFields(_scratch);
        for (var i = 0; i < pairs; i++)
        {
            var field = KvField.Unknown;
            if (reader.Peek() != MessagePackToken.String)
            {
                if (!reader.TrySkip()) return false;
            }
            else if (reader.TryReadString(out var name))
            {
                if (type != KvEventType.AllBlocksCleared) field = KvFields.Named(name);
            }
            else
            {
                return false;
            }
            if (!fields.TryRead(ref reader, field)) return Fail(fields.Error);
        }
        return TryDeliver(type, in fields);
    }

    // The type is the first key wherever events are made from structures; another writer's map may have it anywhere.
    private static KvEventType FindType(MessagePackReader reader)
    {
        if (!reader.TryReadMapHeader(out var pairs)) return KvEventType.Unknown;
        for (var i = 0; i < pairs; i++)
        {
            if (reader.Peek() != MessagePackToken.String)
            {
                if (!reader.TrySkip()) return KvEventType.Unknown;
            }
            else if (!reader.TryReadString(out var name))
            {
                return KvEventType.Unknown;
            }
            else if (name.SequenceEqual("type"u8))
            {
                return reader.Peek() == MessagePackToken.String && reader.TryReadString(out var tag) ? KvFields.TypeOf(tag) : KvEventType.Unknown;
            }
            if (!reader.TrySkip()) return KvEventType.Unknown;
        }
        return KvEventType.Unknown;
    }

    private bool TryPassOver(ref MessagePackReader reader)
    {
        if (!reader.TrySkip()) return false;
        _unknown++;
        return true;
    }

    private bool TryDeliver(KvEventType type, in KvEventFields fields)
    {
        switch (type)
        {
            case KvEventType.AllBlocksCleared:
                _cleared++;
                _sink!.OnAllCleared();
                return true;
            case KvEventType.BlockRemoved when fields.HasBlockHashes:
                _removed++;
                _sink!.OnBlockRemoved(new KvBlockRemoved
                {
                    Sequence = _sequence,
                    TimestampSeconds = _timestamp,
                    BlockHashes = fields.BlockHashes,
                    Medium = fields.Medium,
                    GroupIndex = fields.GroupIndex,
                });
                return true;
            case KvEventType.BlockStored when fields.HasBlockHashes && fields.BlockSize > 0:
                _stored++;
                _sink!.OnBlockStored(new KvBlockStored
                {
                    Sequence = _sequence,
                    TimestampSeconds = _timestamp,
                    BlockHashes = fields.BlockHashes,
                    ParentBlockHash = fields.ParentBlockHash,
                    TokenIds = fields.TokenIds,
                    BlockSizeTokens = fields.BlockSize,
                    LoraId = fields.LoraId,
                    LoraName = fields.LoraName,
                    Medium = fields.Medium,
                    ExtraKeys = fields.ExtraKeys,
                    GroupIndex = fields.GroupIndex,
                    CacheKind = fields.CacheKind,
                    SlidingWindowTokens = fields.SlidingWindow,
                });
                return true;
            default:
                return Fail(KvDecodeError.BadEvent);
        }
    }

    private bool Fail(KvDecodeError error)
    {
        if (error != KvDecodeError.None) _error = error;
        return false;
    }
}
