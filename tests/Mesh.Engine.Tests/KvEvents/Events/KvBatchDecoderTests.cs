using Mesh.Engine.KvEvents.Events;
using Mesh.Engine.Tests.KvEvents.MessagePack;

namespace Mesh.Engine.Tests.KvEvents.Events;

public class KvBatchDecoderTests
{
    private static readonly byte[] Hash32 = Convert.FromHexString("00112233445566778899AABBCCDDEEFF0011223344556677" + "0000000000000102");

    private readonly RecordingSink _sink = new();
    private readonly KvBatchDecoder _decoder = new();

    [Fact]
    public void Decode_EventsAsMaps_ReadsEveryField()
    {
        var result = Decode(Batch(new (string, object?)[]
        {
            ("type", "BlockStored"), ("block_hashes", new object?[] { 11, 12 }), ("parent_block_hash", 10), ("token_ids", new object?[] { 1, 2, 300, 70000 }),
            ("block_size", 2), ("lora_id", 3), ("medium", "GPU"), ("lora_name", "fr"), ("extra_keys", new object?[] { null, new object?[] { "salt" } }),
            ("group_idx", 1), ("kv_cache_spec_kind", "sliding_window"), ("kv_cache_spec_sliding_window", 4096),
        }));

        Assert.Equal(new KvDecodeResult(KvDecodeError.None, result.Position, 1, 0, 0, 0, 7), result);
        Assert.Equal(["stored [11,12] parent 10 tokens [1,2,300,70000] size 2 lora 3/fr on GPU keys 8 group 1/sliding_window/4096"], _sink.Calls);
    }

    [Fact]
    public void Decode_EventsAsArrays_ReadsTheSame()
    {
        Decode(new object?[]
        {
            1.5,
            new object?[]
            {
                new object?[] { "BlockStored", new object?[] { 11, 12 }, 10, new object?[] { 1, 2, 300, 70000 }, 2, 3, "GPU", "fr", null, 1, "full", null },
                new object?[] { "BlockRemoved", new object?[] { 12 }, "GPU", 1 },
                new object?[] { "AllBlocksCleared" },
            },
            0,
        });

        Assert.Equal(
            ["stored [11,12] parent 10 tokens [1,2,300,70000] size 2 lora 3/fr on GPU keys 0 group 1/full/-", "removed [12] on GPU group 1", "cleared"], _sink.Calls);
    }

    [Fact]
    public void Decode_TheFirstVersionsArrays_ReadsWithoutTheLaterFields()
    {
        // Five fields after the tag and no rank: what the first publishers sent.
        var result = Decode(new object?[]
        {
            1.5, new object?[] { new object?[] { "BlockStored", new object?[] { -1L }, null, new object?[] { 5 }, 1, null }, new object?[] { "BlockRemoved", new object?[] { -1L } } },
        });

        Assert.Equal((KvDecodeError.None, (int?)null), (result.Error, result.DataParallelRank));
        Assert.Equal(
            ["stored [18446744073709551615] parent - tokens [5] size 1 lora -/- on - keys 0 group -/-/-", "removed [18446744073709551615] on - group -"], _sink.Calls);
    }

    [Fact]
    public void Decode_MapsInAnArrayBatch_ReadsEachLevelAsItComes()
    {
        Decode(new object?[] { 1, new object?[] { new (string, object?)[] { ("type", "BlockRemoved"), ("block_hashes", new object?[] { 1 }), ("medium", null) } }, null, "later" });

        Assert.Equal(["removed [1] on - group -"], _sink.Calls);
    }

    [Fact]
    public void Decode_HashesAsBytes_TakesTheLastEightAsBigEndian()
    {
        Decode(Batch(Map("BlockStored", ("block_hashes", new object?[] { Hash32, new byte[] { 1, 2 }, ulong.MaxValue }), ("parent_block_hash", Hash32), ("block_size", 16))));

        Assert.Equal(["stored [258,258,18446744073709551615] parent 258 tokens [] size 16 lora -/- on - keys 0 group -/-/-"], _sink.Calls);
    }

    [Fact]
    public void Decode_TypeAmongTheLastKeys_IsFound()
    {
        Decode(Batch(new (string, object?)[] { ("block_hashes", new object?[] { 4 }), ("medium", "CPU"), ("type", "BlockRemoved") }));

        Assert.Equal(["removed [4] on CPU group -"], _sink.Calls);
    }

    [Fact]
    public void Decode_UnknownFieldsAndEvents_AreSkippedAndCounted()
    {
        var result = Decode(new (string, object?)[]
        {
            ("version", 3), ("ts", 2.5),
            ("events", new object?[]
            {
                Map("BlockMoved", ("block_hashes", "not hashes at all")), new object?[] { "BlockMoved", 1 }, new object?[] { 7 }, Array.Empty<object?>(), "noise", null,
                Map("BlockRemoved", ("future", new object?[] { new (string, object?)[] { ("a", 1) } }), ("block_hashes", new object?[] { 9 }), ("remaining_copy_counts", new object?[] { 1 })),
                Map("AllBlocksCleared", ("block_hashes", "whatever")),
            }),
            ("later", null),
        });

        Assert.Equal((KvDecodeError.None, 6, 8), (result.Error, result.Unknown, result.Events));
        Assert.Equal(["removed [9] on - group -", "cleared"], _sink.Calls);
    }

    [Fact]
    public void Decode_MinorFieldsOfAnotherType_AreLeftEmpty()
    {
        var result = Decode(Batch(Map("BlockStored", ("block_hashes", new object?[] { 1 }), ("block_size", 4), ("lora_id", "x"), ("medium", 5), ("lora_name", new object?[] { 1 }), ("group_idx", -1))));

        Assert.Equal(KvDecodeError.None, result.Error);
        Assert.Equal(["stored [1] parent - tokens [] size 4 lora -/- on - keys 0 group -/-/-"], _sink.Calls);
    }

    public static TheoryData<string, object?> BadBatches => new()
    {
        { "NotABatch", 5 },
        { "NotABatch", null },
        { "NotABatch", new object?[] { 1.5 } },
        { "NotABatch", new object?[] { "now", Array.Empty<object?>() } },
        { "NotABatch", new object?[] { 1.5, "events" } },
        { "NotABatch", new (string, object?)[] { ("ts", 1.5) } },
        { "BadEvent", Batch(Map("BlockStored", ("block_hashes", "x"), ("block_size", 16))) },
        { "BadEvent", Batch(Map("BlockStored", ("block_hashes", new object?[] { 1.5 }), ("block_size", 16))) },
        { "BadEvent", Batch(Map("BlockStored", ("block_hashes", new object?[] { Array.Empty<byte>() }), ("block_size", 16))) },
        { "BadEvent", Batch(Map("BlockStored", ("block_hashes", new object?[] { 1 }))) },
        { "BadEvent", Batch(Map("BlockStored", ("block_hashes", new object?[] { 1 }), ("block_size", 0))) },
        { "BadEvent", Batch(Map("BlockStored", ("block_size", 16))) },
        { "BadEvent", Batch(Map("BlockStored", ("block_hashes", new object?[] { 1 }), ("block_size", 16), ("token_ids", new object?[] { 1L << 40 }))) },
        { "BadEvent", Batch(Map("BlockRemoved", ("medium", "GPU"))) },
        { "BadEvent", new object?[] { 1, new object?[] { new object?[] { "BlockRemoved" } } } },
        { "TooLarge", Batch(Map("BlockRemoved", ("block_hashes", Enumerable.Repeat<object?>(1, KvScratch.MaxBlocks + 1).ToArray()))) },
    };

    [Theory]
    [MemberData(nameof(BadBatches))]
    public void Decode_ABatchThatCannotBeRead_SaysWhy(string error, object? batch)
    {
        Assert.Equal(error, Decode(batch).Error.ToString());
        Assert.Empty(_sink.Calls);
    }

    [Fact]
    public void Decode_TruncatedAnywhere_FailsAndNeverThrows()
    {
        var whole = Pack.Of(Batch(Map("BlockStored", ("block_hashes", new object?[] { Hash32 }), ("token_ids", new object?[] { 1, 2 }), ("block_size", 2), ("extra_keys", new object?[] { "a" }))));
        for (var cut = 0; cut < whole.Length; cut++) Assert.NotEqual(KvDecodeError.None, _decoder.Decode(whole.AsSpan(0, cut), 1, _sink).Error);
        Assert.Equal(KvDecodeError.None, _decoder.Decode(whole, 1, _sink).Error);
    }

    [Fact]
    public void Decode_SteadyState_AllocatesNothing()
    {
        var payload = Pack.Of(Batch(
            Map("BlockStored", ("block_hashes", Enumerable.Repeat<object?>(Hash32, 100).ToArray()), ("token_ids", Enumerable.Repeat<object?>(30000, 1600).ToArray()), ("block_size", 16)),
            Map("BlockRemoved", ("block_hashes", new object?[] { 1, 2 }))));
        var sink = new NullSink();
        for (var i = 0; i < 10; i++) _decoder.Decode(payload, 1, sink);

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++) _decoder.Decode(payload, 1, sink);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(2020, sink.Calls);
    }

    [Fact]
    public void Decode_OneHugeEvent_GivesItsMemoryBack()
    {
        var payload = Pack.Of(Batch(Map("BlockRemoved", ("block_hashes", Enumerable.Repeat<object?>(1, 200_000).ToArray()))));

        Assert.Equal(KvDecodeError.None, _decoder.Decode(payload, 1, new NullSink()).Error);
        Assert.InRange(_decoder.ScratchBytes, 0, 256 << 10);
    }

    internal static object? Batch(params object?[] events) => new (string, object?)[] { ("ts", 1.5), ("events", events), ("data_parallel_rank", 7) };

    internal static (string, object?)[] Map(string type, params (string, object?)[] fields) => [("type", type), .. fields];

    private KvDecodeResult Decode(object? batch) => _decoder.Decode(Pack.Of(batch), 42, _sink);
}
