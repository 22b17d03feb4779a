using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.Randomness;
using Mesh.Core.Regions.Reports;
using Mesh.Engine.Federation;
using Mesh.Engine.Federation.Frames;

namespace Mesh.Regions.Tests.Frames;

public sealed class ReportFrameTests
{
    [Fact]
    public void Read_FullReport_GivesWhatWasWritten()
    {
        ImmutableArray<PoolReport> pools = [Pool("a", 1, hot: 128), Pool("b", 2, hot: 0) with { Models = default, Tiers = [], WaitLadderMs = [] }];
        var sections = PoolSections.Write(pools, new ByteWriter());
        var frame = new ReportFrame
        {
            Sequence = 7, HeardSequence = 5, HeardEpoch = 123_456_789_012, HeardAgo = TimeSpan.FromMilliseconds(12.5), Config = new ConfigTag("gke", "eu", 3, "abc"),
            IsFull = true, Sections = sections,
        };
        var read = ReportFrame.Read(Bytes(frame, ReportSections.Empty), ReportSections.Empty);
        Assert.Equal((7, 5, 123_456_789_012), (read.Sequence, read.HeardSequence, read.HeardEpoch));
        Assert.Equal(TimeSpan.FromMilliseconds(12.5), read.HeardAgo);
        Assert.Equal(new ConfigTag("gke", "eu", 3, "abc"), read.Config);
        var back = PoolSections.Read(read.Sections);
        Assert.Equal(2, back.Length);
        AssertSame(pools[0], back[0]);
        AssertSame(pools[1], back[1]);
    }

    [Fact]
    public void Read_ChangesOnly_GivesTheWholeAndIsSmall()
    {
        var writer = new ByteWriter();
        var before = PoolSections.Write([Pool("a", 1, hot: 128), Pool("b", 2, hot: 128)], writer);
        var after = PoolSections.Write([Pool("a", 1, hot: 128) with { Received = 99 }], writer);
        var bytes = Bytes(new ReportFrame { Sequence = 2, Sections = after }, before);
        Assert.InRange(bytes.Length, 1, 220);
        var back = PoolSections.Read(ReportFrame.Read(bytes, before).Sections);
        Assert.Equal(99, Assert.Single(back).Received);
    }

    [Fact]
    public void Read_NothingChanged_IsAFewBytes()
    {
        var sections = PoolSections.Write([Pool("a", 1, hot: 128)], new ByteWriter());
        Assert.InRange(Bytes(new ReportFrame { Sequence = 1_000_000, HeardSequence = 999_999, HeardEpoch = 1_800_000_000_000, Sections = sections }, sections).Length, 1, 40);
    }

    [Fact]
    public void Read_SectionOfALaterRelease_IsPassedOver()
    {
        var sections = PoolSections.Write([Pool("a", 1, hot: 1)], new ByteWriter());
        var later = new ReportSections(sections.Sections.Add("ns\na\nz", [1, 2, 3]));
        Assert.Single(PoolSections.Read(later));
    }

    [Fact]
    public void Read_OtherVersion_SaysSo()
    {
        var bytes = Bytes(new ReportFrame { Sequence = 1, IsFull = true }, ReportSections.Empty);
        bytes[0] = 9;
        var e = Assert.Throws<InvalidDataException>(() => ReportFrame.Read(bytes, ReportSections.Empty));
        Assert.Contains("version 9", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_CutOrSpoiledBytes_ThrowsInvalidDataOnly()
    {
        const ulong Seed = 20_261;
        var random = new Xoshiro256(Seed);
        var bytes = Bytes(new ReportFrame { Sequence = 1, IsFull = true, Sections = PoolSections.Write([Pool("a", 1, hot: 20)], new ByteWriter()) }, ReportSections.Empty);
        for (var length = 0; length < bytes.Length; length++) Try(bytes[..length]);
        for (var i = 0; i < 2000; i++)
        {
            var spoiled = bytes.ToArray();
            spoiled[random.NextInt32(spoiled.Length)] = (byte)random.NextInt32(256);
            Try(spoiled);
        }

        static void Try(byte[] spoiled)
        {
            try
            {
                PoolSections.Read(ReportFrame.Read(spoiled, ReportSections.Empty).Sections);
            }
            catch (InvalidDataException)
            {
                return;
            }
        }
    }

    [Fact]
    public void Write_TwentyPoolsThatAllChange_StaysBelowFourKibibytesInBase64()
    {
        var writer = new ByteWriter();
        var before = PoolSections.Write([.. Enumerable.Range(0, 20).Select(i => Pool($"pool-{i}", i, hot: 128))], writer);
        var after = PoolSections.Write([.. Enumerable.Range(0, 20).Select(i => Pool($"pool-{i}", i, hot: 128) with { Received = 1000 + i, OverflowPerSecond = 3.5 })], writer);
        var bytes = Bytes(new ReportFrame { Sequence = 2, Sections = after }, before);
        Assert.InRange(bytes.Length * 4 / 3, 1, 4096);
    }

    internal static PoolReport Pool(string name, int seed, int hot)
    {
        var random = new Xoshiro256((ulong)seed);
        var prefixes = Enumerable.Range(0, hot).Select(_ => new HotPrefix((uint)random.NextUInt64(), (ushort)(1 + random.NextInt32(100)))).Order().ToImmutableArray();
        return new PoolReport
        {
            Pool = new PoolId("ns", name),
            Epoch = 1_790_000_000_000 + seed,
            Tiers = [new TierReport(BackendPreference.Preferred, 10, 9) { TargetCapacity = 80, IsRate = true, Load = 12.5, Fullness = 0.5, Spare = 67.5, Grant = 30 }, new TierReport(BackendPreference.Default, 3, 0)],
            ReceivedEpoch = 55,
            Received = 1234,
            Hosted = seed % 2 == 0 ? null : 17,
            OverflowPerSecond = 1.5,
            Waiting = [new WaitingCount(10, 3), new WaitingCount(-1, 1)],
            MarginalWaitMs = double.PositiveInfinity,
            WaitLadderMs = [1, 2, 3, 4, 5, 6, 7, 8],
            MarginalDecodeMs = 0.5,
            MsPerToken = 0.25,
            MeanWaitMs = 4,
            PromptCosts = [new PromptCost(12.5f, 0), new PromptCost(50, 1), new PromptCost(900.3f, 12)],
            Flows = [new FlowUsage(7, 0.5f), new FlowUsage(4_000_000_000, 1234.5f)],
            CacheTokens = 3_456_000,
            CachedEver = 9_876_543_210,
            Models = ["m1", "m2"],
            HotPrefixes = prefixes,
        };
    }

    private static void AssertSame(PoolReport expected, PoolReport actual)
    {
        Assert.Equal(expected.Tiers.ToArray(), actual.Tiers.ToArray());
        Assert.Equal(expected.Waiting.ToArray(), actual.Waiting.ToArray());
        Assert.Equal(expected.WaitLadderMs.ToArray(), actual.WaitLadderMs.ToArray());
        Assert.Equal(expected.HotPrefixes.ToArray(), actual.HotPrefixes.ToArray());
        Assert.Equal(expected.Flows.ToArray(), actual.Flows.ToArray());
        Assert.Equal(expected.PromptCosts.ToArray(), actual.PromptCosts.ToArray());
        Assert.Equal(expected.Models.IsDefault, actual.Models.IsDefault);
        if (!expected.Models.IsDefault) Assert.Equal(expected.Models.ToArray(), actual.Models.ToArray());
        Assert.Equal(
            expected with { Tiers = [], Waiting = [], WaitLadderMs = [], HotPrefixes = [], PromptCosts = [], Flows = [], Models = default }, actual with { Tiers = [], Waiting = [], WaitLadderMs = [], HotPrefixes = [], PromptCosts = [], Flows = [], Models = default });
    }

    private static byte[] Bytes(ReportFrame frame, ReportSections before)
    {
        var writer = new ByteWriter();
        frame.Write(before, writer);
        return writer.Written.ToArray();
    }
}
