using Mesh.Zmtp.MessagePack;
using Xunit.Abstractions;

namespace Mesh.Engine.Tests.KvEvents.MessagePack;

public class MessagePackFuzzTests(ITestOutputHelper output)
{
    private const ulong Seed = 20260511;
    private const int Inputs = 1_000_000;

    [Fact]
    public void Reader_AMillionInputs_StaysWithinThemAndAllocatesNothing()
    {
        output.WriteLine($"seed {Seed}");
        var mutator = new ByteMutator(Seed, [
            Pack.Of(new object?[] { 1.5, new object?[] { "text", -1, ulong.MaxValue, new byte[40] }, null, true }),
            Pack.Of(new (string, object?)[] { ("type", "BlockStored"), ("block_hashes", new object?[] { 1, 2L << 40 }), ("x", new object?[20]) }),
            Convert.FromHexString("93D4056AC7037F010203C90000000002AABBDDFFFFFFFF"),
        ], 256);
        Walk(mutator.Next());
        var before = GC.GetAllocatedBytesForCurrentThread();
        long read = 0, failed = 0;
        for (var i = 0; i < Inputs; i++)
        {
            if (Walk(mutator.Next())) read++;
            else failed++;
        }

        // Some of them must be good and many bad, or the inputs test nothing.
        Assert.InRange(read, Inputs / 50, Inputs * 49L / 50);
        Assert.Equal(Inputs, read + failed);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 64 << 10);
    }

    // Reads every value by its own method; true if the input was whole.
    private static bool Walk(ReadOnlySpan<byte> input)
    {
        var reader = new MessagePackReader(input);
        while (!reader.IsAtEnd)
        {
            var before = reader.Position;
            var skipper = reader;
            var skipped = skipper.TrySkip();
            var read = reader.Peek() switch
            {
                MessagePackToken.Nil => reader.TryReadNil(),
                MessagePackToken.Boolean => reader.TryReadBoolean(out _),
                MessagePackToken.Integer => reader.TryReadUInt64Bits(out _),
                MessagePackToken.Float => reader.TryReadDouble(out _),
                MessagePackToken.String => reader.TryReadString(out _),
                MessagePackToken.Binary => reader.TryReadBinary(out _),
                MessagePackToken.Array => reader.TryReadArrayHeader(out _),
                MessagePackToken.Map => reader.TryReadMapHeader(out _),
                MessagePackToken.Extension => reader.TryReadExtension(out _, out _),
                _ => reader.TrySkip(),
            };
            // Plain comparisons: an assertion would allocate, a billion bytes over all of them.
            if (read != reader.Position > before || reader.Position > input.Length || skipper.Position > input.Length
                || (!read && (skipped || reader.Error == MessagePackError.None)))
            {
                Assert.Fail("broken by " + Convert.ToHexString(input));
            }
            if (!read) return false;
        }
        return true;
    }
}
