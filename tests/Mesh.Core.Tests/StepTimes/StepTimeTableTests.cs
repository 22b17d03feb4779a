using Mesh.Core.StepTimes;

namespace Mesh.Core.Tests.StepTimes;

public class StepTimeTableTests
{
    private static readonly StepTimeTable Table = H100Llama8B.Table;

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 8.426)]
    [InlineData(16, 8.426)]
    [InlineData(64, 8.793)]
    [InlineData(2048, 52.259)]
    [InlineData(16384, 508.942)]
    [InlineData(3072, 80.264)]
    [InlineData(40, 8.6095)]
    [InlineData(20480, 647.2485)]
    public void PrefillMs_AtBetweenAndBeyondPoints_FollowsTheSegments(double tokens, double expectedMs) =>
        Assert.Equal(expectedMs, Table.PrefillMs(tokens), 9);

    [Theory]
    [InlineData(1, 128, 6.57)]
    [InlineData(1, 10, 6.57)]
    [InlineData(256, 128, 10.309)]
    [InlineData(256, 8192, 97.103)]
    [InlineData(64, 2048, 12.653)]
    [InlineData(3, 128, 6.72)]
    [InlineData(1, 320, 6.6545)]
    [InlineData(96, 1280, 12.58175)]
    [InlineData(384, 128, 12.358)]
    [InlineData(1, 14336, 11.731)]
    public void DecodeMs_AtBetweenAndBeyondPoints_IsBilinear(double batch, double context, double expectedMs) =>
        Assert.Equal(expectedMs, Table.DecodeMs(batch, context), 9);

    [Fact]
    public void Scaled_ByRatios_ScalesEveryTimeAndNothingElse()
    {
        var slow = Table.Scaled("slow", 2, 1.5);
        Assert.Equal(2 * Table.PrefillMs(3072), slow.PrefillMs(3072), 9);
        Assert.Equal(1.5 * Table.DecodeMs(96, 1280), slow.DecodeMs(96, 1280), 9);
        Assert.Equal((2 * 52.259) + (1.5 * (18.8 - 6.57)), slow.StepMs(2048, 0, 128, 128 * 2048), 9);
        Assert.Equal("slow", slow.Name);
        Assert.Throws<ArgumentOutOfRangeException>(() => Table.Scaled("none", 0, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => Table.Scaled("none", 1, double.NaN));
    }

    [Fact]
    public void DecodeMs_EmptyBatch_IsZero() => Assert.Equal(0, Table.DecodeMs(0, 1000));

    [Fact]
    public void StepMs_DecodesOnly_IsTheDecodeTime() => Assert.Equal(Table.DecodeMs(4, 512), Table.StepMs(0, 0, 4, 2048));

    [Fact]
    public void StepMs_ChunkWithDecodes_AddsTheIncrementOverTheSmallestDecode() =>
        Assert.Equal(52.259 + (18.8 - 6.57), Table.StepMs(2048, 0, 128, 128 * 2048), 9);

    [Fact]
    public void ContextAttentionMs_ChunksOfOnePrompt_SumToTheWholePrompt()
    {
        var sum = 0.0;
        for (var done = 0; done < 8192; done += 2048) sum += Table.StepMs(2048, Table.ContextAttentionMs(2048, done), 0, 0);
        Assert.Equal(232.329, sum, 9);
    }

    [Fact]
    public void ContextAttentionMs_FirstChunk_IsFree() => Assert.Equal(0, Table.ContextAttentionMs(2048, 0));

    [Fact]
    public void PrefillMs_EveryToken_IsPositiveAndContinuous()
    {
        for (var tokens = 1; tokens < 20_000; tokens++)
        {
            Assert.True(Table.PrefillMs(tokens) > 0);
            Assert.True(Math.Abs(Table.PrefillMs(tokens + 1) - Table.PrefillMs(tokens)) < 0.05);
        }
    }

    [Fact]
    public void Constructor_AxisThatDoesNotRise_Throws() =>
        Assert.Throws<ArgumentException>(() => new StepTimeTable("x", [1, 1], [1, 2], [1, 2], [1, 2], [1, 2, 3, 4]));

    [Fact]
    public void Constructor_TimesThatDoNotMatch_Throws() =>
        Assert.Throws<ArgumentException>(() => new StepTimeTable("x", [1, 2], [1, 2], [1, 2], [1, 2], [1, 2, 3]));

    [Fact]
    public void WithLongPrompts_MeasuredAttention_GrowsWithTheSquare()
    {
        var table = new StepTimeTable("t", [100, 200], [10 + 1, 20 + 4], [1, 2], [1, 2], [1, 1, 1, 1]);
        var extended = table.WithLongPrompts(800);
        Assert.Equal(11, extended.PrefillMs(100), 9);
        Assert.Equal(24, extended.PrefillMs(200), 9);
        Assert.Equal(40 + 16, extended.PrefillMs(400), 9);
        Assert.Equal(80 + 64, extended.PrefillMs(800), 9);
        Assert.Equal(table.DecodeMs(1, 1), extended.DecodeMs(1, 1));
    }

    [Fact]
    public void WithLongPrompts_LongEnoughOrLinear_IsTheTableItself()
    {
        var table = new StepTimeTable("t", [100, 200], [11, 24], [1, 2], [1, 2], [1, 1, 1, 1]);
        Assert.Same(table, table.WithLongPrompts(200));
        var linear = new StepTimeTable("t", [100, 200], [10, 20], [1, 2], [1, 2], [1, 1, 1, 1]);
        Assert.Same(linear, linear.WithLongPrompts(800));
    }
}
