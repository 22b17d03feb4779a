using System.Buffers.Text;
using Mesh.Core.Regions.Reports;
using Mesh.Engine.Federation.Frames;
using Mesh.Regions.Tests.Support;
using Mesh.Testing;
using Xunit.Abstractions;

namespace Mesh.Regions.Tests.Frames;

/// <summary>What a report of a region with a thousand busy endpoints takes, from the pool's state at one side to the pool's state at the other.</summary>
public sealed class ReportCostTests(ITestOutputHelper output)
{
    private const int Endpoints = 1000;
    private const int Batches = 10;
    private const int Reports = 50;

    [Fact]
    public void Report_ThousandEndpoints_IsSmallAndTakesLittleOfACore()
    {
        var time = new ManualTimeProvider();
        var sender = BusyPool.Make("a", Endpoints, time);
        var receiver = BusyPool.Make("b", 1, time);
        var writer = new ByteWriter();
        var (before, received) = (ReportSections.Empty, ReportSections.Empty);
        var encoded = new byte[64 * 1024];
        var least = TimeSpan.MaxValue;
        var largest = 0;
        var sequence = 0L;
        for (var batch = 0; batch < Batches; batch++)
        {
            var spent = TimeSpan.Zero;
            for (var i = 0; i < Reports; i++)
            {
                // What changes between two reports: some requests come, some go.
                BusyPool.Send(sender, 20, sequence);
                time.Advance(TimeSpan.FromMilliseconds(100));
                var began = ProcessorTime.OfThread();
                var sections = PoolSections.Write([sender.BuildReport("b")], writer);
                writer.Clear();
                new ReportFrame { Sequence = ++sequence, IsFull = sequence == 1, Sections = sections, HeardSequence = sequence, HeardEpoch = 1_800_000_000_000 }.Write(before, writer);
                Base64.EncodeToUtf8(writer.Written, encoded, out _, out var length);
                before = sections;
                var bytes = new byte[length];
                Base64.DecodeFromUtf8(encoded.AsSpan(0, length), bytes, out _, out var plain);
                var frame = ReportFrame.Read(bytes.AsSpan(0, plain), received);
                received = frame.Sections;
                var pools = PoolSections.Read(frame.Sections);
                receiver.ApplyPeer(new RegionReport { Region = "a", Instance = 1, Sequence = frame.Sequence, HeardAge = TimeSpan.Zero, Pools = pools }, pools[0]);
                spent += ProcessorTime.OfThread() - began;
                if (sequence > 10) largest = Math.Max(largest, length);
            }

            if (spent < least) least = spent;
        }

        var each = least / Reports;
        output.WriteLine($"{each.TotalMicroseconds:0} µs a report, both sides: {each.TotalSeconds * 10:0.00%} of a core at ten per second; largest {largest} bytes");
        Assert.InRange(largest, 1, 4096);
        // 1% of a core is 1,000 µs.
        Assert.InRange(each.TotalMicroseconds, 0, 1000);
    }
}
