using System.Buffers.Text;
using System.Runtime.InteropServices;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Health;
using Mesh.Core.Leases;
using Mesh.Core.Regions.Reports;
using Mesh.Core.Routing;
using Mesh.Core.SpillOver;
using Mesh.Engine.Federation.Frames;
using Mesh.Testing;
using Xunit.Abstractions;

namespace Mesh.Regions.Tests.Frames;

/// <summary>What a report of a region with a thousand busy endpoints takes, from the pool's state at one side to the pool's state at the other.</summary>
public sealed partial class ReportCostTests(ITestOutputHelper output)
{
    private const int Endpoints = 1000;
    private const int Batches = 10;
    private const int Reports = 50;

    [Fact]
    public void Report_ThousandEndpoints_IsSmallAndTakesLittleOfACore()
    {
        var time = new ManualTimeProvider();
        var sender = Pool("a", Endpoints, time);
        var receiver = Pool("b", 1, time);
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
                Send(sender, 20, sequence);
                time.Advance(TimeSpan.FromMilliseconds(100));
                var began = ThreadTime();
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
                spent += ThreadTime() - began;
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

    /// <summary>Processor time of this thread: what other processes take meanwhile does not count.</summary>
    private static TimeSpan ThreadTime()
    {
        const int ThreadClock = 3;
        Assert.Equal(0, ReadClock(ThreadClock, out var time));
        return TimeSpan.FromSeconds(time.Seconds) + TimeSpan.FromMicroseconds(time.Nanoseconds / 1000.0);
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int ReadClock(int clock, out ClockTime time);

    private static PoolState Pool(string region, int endpoints, ManualTimeProvider time)
    {
        var config = new PoolConfig
        {
            Id = new PoolId("ns", "pool"),
            Backends =
            [
                new BackendConfig
                {
                    Id = new BackendId("c-" + region, "z", 8000), Region = region,
                    Endpoints = [.. Enumerable.Range(0, endpoints).Select(i => new EndpointConfig { Id = new EndpointId($"10.0.{i / 250}.{i % 250}:8000"), PodName = $"pod-{i}" })],
                    Settings = new BackendSettings { Mode = BalancingMode.InFlight, MaxInFlightPerEndpoint = 8 },
                },
            ],
        };
        var state = new PoolState(config, time, 1, new PoolStateOptions { Locality = new Locality { Region = region } });
        state.SetPeers(["a", "b"]);
        foreach (var endpoint in config.Backends[0].Endpoints) state.Apply(new ProbeResult(endpoint.Id, time.GetTimestamp(), true));
        foreach (var endpoint in config.Backends[0].Endpoints) state.Apply(new ProbeResult(endpoint.Id, time.GetTimestamp(), true));
        return state;
    }

    private static void Send(PoolState state, int requests, long sequence)
    {
        var session = new GatewaySession("g", 1);
        state.Heartbeat(session);
        for (var i = 0; i < requests; i++)
        {
            var decision = state.Route(new RouteRequest { RequestId = $"r{sequence}-{i}", Pool = new PoolId("ns", "pool"), Session = session, PromptTokens = 300, FairnessId = "" });
            if (i % 4 == 0 && decision.Kind == RouteKind.Send) state.Complete(decision.Lease, new RequestOutcome(OutcomeKind.Success, 300, null, 100));
        }
    }

    private readonly struct ClockTime
    {
        public readonly long Seconds;
        public readonly long Nanoseconds;
    }
}
