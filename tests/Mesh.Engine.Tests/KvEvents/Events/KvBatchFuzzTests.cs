using Mesh.Engine.KvEvents.Events;
using Mesh.Engine.Tests.KvEvents.MessagePack;
using Xunit.Abstractions;

namespace Mesh.Engine.Tests.KvEvents.Events;

public class KvBatchFuzzTests(ITestOutputHelper output)
{
    private const ulong Seed = 20260512;
    private const int Inputs = 1_000_000;

    [Fact]
    public void Decoder_AMillionInputs_NeitherThrowsNorGrows()
    {
        output.WriteLine($"seed {Seed}");
        var stored = KvBatchDecoderTests.Map("BlockStored", ("block_hashes", new object?[] { new byte[32], 5 }), ("parent_block_hash", 3), ("token_ids", new object?[] { 1, 2, 300 }), ("block_size", 16), ("extra_keys", new object?[] { "a" }));
        var mutator = new ByteMutator(Seed, [
            Pack.Of(KvBatchDecoderTests.Batch(stored)),
            Pack.Of(KvBatchDecoderTests.Batch(KvBatchDecoderTests.Map("BlockRemoved", ("block_hashes", new object?[] { 1, 2 }), ("medium", "GPU")), KvBatchDecoderTests.Map("AllBlocksCleared"))),
            Pack.Of(new object?[] { 1.5, new object?[] { new object?[] { "BlockStored", new object?[] { 1L << 40 }, null, new object?[] { 1, 2 }, 2, null, "GPU", null, null, 0 }, new object?[] { "AllBlocksCleared" } }, 0 }),
        ], 320);
        var decoder = new KvBatchDecoder();
        var sink = new NullSink();
        decoder.Decode(mutator.Next(), 0, sink);
        var errors = new long[Enum.GetValues<KvDecodeError>().Length];
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < Inputs; i++)
        {
            var input = mutator.Next();
            var result = decoder.Decode(input, (ulong)i, sink);
            if ((uint)result.Position > (uint)input.Length) Assert.Fail("broken by " + Convert.ToHexString(input));
            errors[(int)result.Error]++;
        }

        output.WriteLine(string.Join(" ", errors));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 64 << 10);
        Assert.InRange(decoder.ScratchBytes, 0, 64 << 10);
        Assert.True(errors[(int)KvDecodeError.None] > Inputs / 10 && errors[(int)KvDecodeError.NotMessagePack] > Inputs / 100, string.Join(" ", errors));
    }
}
