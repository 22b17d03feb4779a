using Mesh.Zmtp.MessagePack;

namespace Mesh.Engine.Tests.KvEvents.MessagePack;

public class MessagePackReaderTests
{
    public static TheoryData<string, long> Integers => new()
    {
        { "00", 0 }, { "7F", 127 }, { "E0", -32 }, { "FF", -1 },
        { "CC80", 128 }, { "CCFF", 255 }, { "CD0100", 256 }, { "CDFFFF", 65535 }, { "CE00010000", 65536 }, { "CEFFFFFFFF", 4294967295 },
        { "CF0000000100000000", 4294967296 }, { "CF7FFFFFFFFFFFFFFF", long.MaxValue },
        { "D0DF", -33 }, { "D080", -128 }, { "D1FF7F", -129 }, { "D18000", -32768 }, { "D2FFFF7FFF", -32769 }, { "D280000000", int.MinValue },
        { "D3FFFFFFFF7FFFFFFF", -2147483649 }, { "D38000000000000000", long.MinValue },
    };

    [Theory]
    [MemberData(nameof(Integers))]
    public void ReadInt64_EveryWidth_ReadsAndIsWrittenShortest(string hex, long value)
    {
        var bytes = Convert.FromHexString(hex);
        var reader = new MessagePackReader(bytes);

        Assert.True(reader.TryReadInt64(out var read));
        Assert.Equal(value, read);
        Assert.True(reader.IsAtEnd);
        Assert.Equal(hex, Convert.ToHexString(Pack.Of(value)));
    }

    [Theory]
    [MemberData(nameof(Integers))]
    public void ReadInt32_EveryWidth_ReadsOrIsOutOfRange(string hex, long value)
    {
        var reader = new MessagePackReader(Convert.FromHexString(hex));

        var fits = value is >= int.MinValue and <= int.MaxValue;
        Assert.Equal(fits, reader.TryReadInt32(out var read));
        if (fits) Assert.Equal(value, read);
        else Assert.Equal((MessagePackError.OutOfRange, 0), (reader.Error, reader.Position));
    }

    [Fact]
    public void ReadUInt64_AboveInt64_BitsAreReadAndInt64IsOutOfRange()
    {
        var reader = new MessagePackReader(Convert.FromHexString("CFFFFFFFFFFFFFFFFE"));

        Assert.False(reader.TryReadInt64(out _));
        Assert.Equal((MessagePackError.OutOfRange, 0), (reader.Error, reader.Position));
        Assert.True(reader.TryReadUInt64Bits(out var bits));
        Assert.Equal(ulong.MaxValue - 1, bits);
    }

    [Theory]
    [InlineData("CA3FC00000", 1.5)]
    [InlineData("CB3FF8000000000000", 1.5)]
    [InlineData("FD", -3)]
    [InlineData("CFFFFFFFFFFFFFFFFF", 18446744073709551615.0)]
    public void ReadDouble_FloatOrInteger_Reads(string hex, double value)
    {
        var reader = new MessagePackReader(Convert.FromHexString(hex));

        Assert.True(reader.TryReadDouble(out var read));
        Assert.Equal(value, read);
        Assert.True(reader.IsAtEnd);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(31)]
    [InlineData(32)]
    [InlineData(255)]
    [InlineData(256)]
    [InlineData(65535)]
    [InlineData(65536)]
    public void ReadStringAndBinary_EveryLengthForm_RoundTrips(int length)
    {
        var text = new string('x', length);
        var reader = new MessagePackReader(Pack.Of(text));
        Assert.True(reader.TryReadString(out var utf8));
        Assert.Equal(length, utf8.Length);
        Assert.True(reader.IsAtEnd);

        reader = new MessagePackReader(Pack.Of(new byte[length]));
        Assert.True(reader.TryReadBinary(out var bytes));
        Assert.Equal(length, bytes.Length);
        Assert.True(reader.IsAtEnd);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(65535)]
    [InlineData(65536)]
    public void ReadArrayHeader_EveryCountForm_RoundTrips(int count)
    {
        var reader = new MessagePackReader(Pack.Of(new object?[count]));

        Assert.True(reader.TryReadArrayHeader(out var read));
        Assert.Equal(count, read);
        for (var i = 0; i < count; i++) Assert.True(reader.TryReadNil());
        Assert.True(reader.IsAtEnd);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    [InlineData(70000)]
    public void ReadMapHeader_EveryCountForm_RoundTrips(int pairs)
    {
        var reader = new MessagePackReader(Pack.Of(Enumerable.Range(0, pairs).Select(_ => ("k", (object?)null)).ToArray()));

        Assert.True(reader.TryReadMapHeader(out var read));
        Assert.Equal(pairs, read);
    }

    [Theory]
    [InlineData("DDFFFFFFFF")]
    [InlineData("DC0002C0")]
    [InlineData("92C0")]
    [InlineData("DFFFFFFFFF")]
    [InlineData("81C0")]
    [InlineData("DE0001C0")]
    public void ReadHeader_MoreElementsThanBytes_IsTruncated(string hex)
    {
        var reader = new MessagePackReader(Convert.FromHexString(hex));

        Assert.False(reader.Peek() == MessagePackToken.Array ? reader.TryReadArrayHeader(out _) : reader.TryReadMapHeader(out _));
        Assert.Equal((MessagePackError.Truncated, 0), (reader.Error, reader.Position));
    }

    [Theory]
    [InlineData("D4056A", 5, 1)]
    [InlineData("D50500FF", 5, 2)]
    [InlineData("D8FF00112233445566778899AABBCCDDEEFF", -1, 16)]
    [InlineData("C7037F010203", 127, 3)]
    [InlineData("C80001FE09", -2, 1)]
    [InlineData("C90000000002AABB", 2, 0)]
    public void ReadExtension_EveryForm_ReadsTypeAndBytes(string hex, int type, int length)
    {
        var reader = new MessagePackReader(Convert.FromHexString(hex));

        Assert.True(reader.TryReadExtension(out var readType, out var bytes));
        Assert.Equal((type, length), (readType, bytes.Length));
    }

    [Fact]
    public void ReadBooleanAndNil_RoundTrip()
    {
        var reader = new MessagePackReader(Pack.Of(new object?[] { true, false, null }));

        Assert.True(reader.TryReadArrayHeader(out _));
        Assert.True(reader.TryReadBoolean(out var yes) && yes);
        Assert.True(reader.TryReadBoolean(out var no) && !no);
        Assert.False(reader.TryReadBoolean(out _));
        Assert.Equal(MessagePackError.WrongType, reader.Error);
        Assert.True(reader.TryReadNil());
        Assert.False(reader.TryReadNil());
    }

    [Fact]
    public void Skip_EveryKindOfValue_StopsBehindIt()
    {
        object?[] values =
        [
            null, true, 5, -5, 300L, ulong.MaxValue, 1.5, "text", new string('x', 300), new byte[] { 1, 2 }, Array.Empty<object?>(),
            new object?[] { 1, new object?[] { "deep", new (string, object?)[] { ("k", new byte[300]) } }, null }, new (string, object?)[] { ("a", 1), ("b", null) },
        ];
        foreach (var value in values)
        {
            var bytes = Pack.Of(value);
            var reader = new MessagePackReader([.. bytes, 0x2A]);

            Assert.True(reader.TrySkip());
            Assert.Equal(bytes.Length, reader.Position);
            Assert.True(reader.TryReadInt32(out var next) && next == 42);
        }
    }

    [Theory]
    [InlineData(64, false)]
    [InlineData(63, true)]
    public void Skip_NestedArrays_GoesToTheBoundAndNoFurther(int depth, bool skipped)
    {
        var bytes = new byte[depth + 1];
        bytes.AsSpan(0, depth).Fill(0x91);
        bytes[depth] = 0xC0;
        var reader = new MessagePackReader(bytes);

        Assert.Equal(skipped, reader.TrySkip());
        Assert.Equal((skipped ? MessagePackError.None : MessagePackError.TooDeep, skipped ? depth + 1 : 0), (reader.Error, reader.Position));
    }

    [Fact]
    public void Skip_AMillionNestedArrays_DoesNotRecurse()
    {
        var bytes = new byte[1_000_000];
        bytes.AsSpan().Fill(0x91);
        var reader = new MessagePackReader(bytes);

        Assert.False(reader.TrySkip());
        Assert.Equal(MessagePackError.TooDeep, reader.Error);
    }

    [Fact]
    public void EveryRead_TruncatedAnywhere_FailsWithoutMoving()
    {
        object?[] values = [300, -300L, 70000, 1L << 40, -(1L << 40), 1.5, "text", new string('x', 40), new byte[300], new object?[20]];
        foreach (var value in values)
        {
            var bytes = Pack.Of(value);
            for (var cut = 0; cut < bytes.Length; cut++)
            {
                var reader = new MessagePackReader(bytes.AsSpan(0, cut));
                Assert.False(reader.TrySkip());
                Assert.Equal((MessagePackError.Truncated, 0), (reader.Error, reader.Position));
            }
        }
    }

    [Fact]
    public void EveryRead_OfTheByteThatIsNeverUsed_FailsAsInvalid()
    {
        var reader = new MessagePackReader([0xC1]);

        Assert.Equal(MessagePackToken.Invalid, reader.Peek());
        Assert.False(reader.TryReadInt64(out _));
        Assert.Equal(MessagePackError.InvalidByte, reader.Error);
        Assert.False(reader.TrySkip());
        Assert.Equal(MessagePackError.InvalidByte, reader.Error);
    }

    [Fact]
    public void EveryRead_OfAnotherType_FailsWithoutMoving()
    {
        var reader = new MessagePackReader(Pack.Of("text"));

        Assert.False(reader.TryReadInt64(out _));
        Assert.False(reader.TryReadInt32(out _));
        Assert.False(reader.TryReadUInt64Bits(out _));
        Assert.False(reader.TryReadDouble(out _));
        Assert.False(reader.TryReadBinary(out _));
        Assert.False(reader.TryReadExtension(out _, out _));
        Assert.False(reader.TryReadArrayHeader(out _));
        Assert.False(reader.TryReadMapHeader(out _));
        Assert.Equal((MessagePackError.WrongType, 0), (reader.Error, reader.Position));
        Assert.True(reader.TryReadString(out _));
        Assert.Equal(MessagePackToken.End, reader.Peek());
    }
}
