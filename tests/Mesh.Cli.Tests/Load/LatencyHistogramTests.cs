using Mesh.Cli.Load;
using Mesh.Core.Randomness;

namespace Mesh.Cli.Tests.Load;

public sealed class LatencyHistogramTests
{
    [Fact]
    public void Quantile_Empty_IsZero()
    {
        var histogram = new LatencyHistogram();
        Assert.Equal((0, 0L, 0L, 0, 0), (histogram.QuantileUs(0.5), histogram.MinUs, histogram.MaxValueUs, histogram.MeanUs, histogram.Buckets().Count()));
    }

    [Fact]
    public void Quantile_OneValue_IsThatValue()
    {
        var histogram = new LatencyHistogram();
        histogram.Record(TimeSpan.FromMilliseconds(123.457));
        foreach (var share in new[] { 0, 0.5, 0.99, 1 }) Assert.Equal(123_457, histogram.QuantileUs(share));
    }

    [Theory]
    [InlineData(-5, 0)]
    [InlineData(0, 0)]
    [InlineData(127, 127)]
    [InlineData(128, 128)]
    [InlineData(255, 255)]
    [InlineData(256, 256)]
    public void Record_SmallValue_HasABucketOfItsOwn(long us, long from)
    {
        var histogram = new LatencyHistogram();
        histogram.RecordUs(us);
        Assert.Equal([(from, from < 256 ? from + 1 : from + 2, 1L)], histogram.Buckets());
    }

    [Fact]
    public void Record_LongerThanItsRange_CountsAtItsEnd()
    {
        var histogram = new LatencyHistogram();
        histogram.Record(TimeSpan.MaxValue);
        var (from, to, count) = Assert.Single(histogram.Buckets());
        Assert.Equal((1L << 36, 1L), (to, count));
        Assert.True(histogram.MaxValueUs >= from && histogram.MaxValueUs < to);
    }

    /// <summary>Random samples of every magnitude against the sorted list of them.</summary>
    [Fact]
    public void Quantile_AnySample_ErrsByLessThanItSays()
    {
        for (var seed = 1UL; seed <= 200; seed++)
        {
            var random = new Xoshiro256(seed);
            var histogram = new LatencyHistogram();
            var values = new long[1 + random.NextInt32(2000)];
            for (var i = 0; i < values.Length; i++) histogram.RecordUs(values[i] = (long)(random.NextUInt64() >> (28 + random.NextInt32(36))));
            Array.Sort(values);
            foreach (var share in new[] { 0, 0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1 })
            {
                var exact = values[Math.Clamp((int)Math.Ceiling(share * values.Length), 1, values.Length) - 1];
                var got = histogram.QuantileUs(share);
                Assert.True(Math.Abs(got - exact) <= Math.Max(0.5, exact * LatencyHistogram.MaxRelativeError), $"seed {seed}, share {share}: {got}, exactly {exact}");
            }

            Assert.Equal((values[0], values[^1], (long)values.Length), (histogram.MinUs, histogram.MaxValueUs, histogram.Count));
            Assert.Equal(values.Average(), histogram.MeanUs, 1e-6 * values[^1]);
            var buckets = histogram.Buckets().ToList();
            Assert.Equal(values.Length, buckets.Sum(b => b.Count));
            Assert.True(LatencyHistogram.MaxRelativeError < 0.01);
            foreach (var (from, to, count) in buckets) Assert.Equal(count, values.LongCount(v => v >= from && v < to));
            for (var i = 1; i < buckets.Count; i++) Assert.True(buckets[i - 1].ToUs <= buckets[i].FromUs, $"seed {seed}: buckets overlap");
        }
    }

    [Fact]
    public void Record_ManyThreads_LosesNothing()
    {
        var histogram = new LatencyHistogram();
        Parallel.For(0, 8, thread =>
        {
            for (var i = 0; i < 20_000; i++) histogram.RecordUs((thread * 20_000) + i);
        });
        Assert.Equal((160_000L, 0L, 159_999L, 159_999 / 2.0), (histogram.Count, histogram.MinUs, histogram.MaxValueUs, histogram.MeanUs));
        Assert.Equal(160_000, histogram.Buckets().Sum(b => b.Count));
    }
}
