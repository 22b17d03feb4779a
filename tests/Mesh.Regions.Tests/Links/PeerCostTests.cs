using System.Collections.Immutable;
using System.Net;
using Mesh.Core.Regions.Reports;
using Mesh.Core.Routing;
using Mesh.Engine.Federation;
using Mesh.Gateway.Federation;
using Mesh.Gateway.Hosting;
using Mesh.Gateway.Metrics;
using Mesh.Regions.Tests.Support;
using Mesh.Testing.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit.Abstractions;

namespace Mesh.Regions.Tests.Links;

/// <summary>
/// What a peer costs from end to end: reports of a thousand busy endpoints ten times a second over real connections, in processor time of this process, which
/// has both ends of every link and does nothing else.
/// </summary>
[Collection(AloneCollection.Name)]
public sealed class PeerCostTests(ITestOutputHelper output)
{
    private const int Endpoints = 1000;
    private const int Peers = 8;

    // Until the compiler has come to rest; then several spans, of which the cheapest counts: what else a busy machine does to caches only adds.
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(long.TryParse(Environment.GetEnvironmentVariable("MESH_COST_WARM_UP"), out var s) ? s : 6);
    private static readonly TimeSpan Span = TimeSpan.FromSeconds(2);

    private const int Spans = 3;

    [Fact]
    public async Task Peer_ThousandEndpointsAtBothEnds_TakesLessThanAHundredthOfACore()
    {
        string[] names = ["hub", .. Enumerable.Range(0, Peers).Select(i => $"peer-{i}")];
        var addresses = names.Select(_ => FreePorts.NextEndPoint()).ToArray();
        var ends = new List<End>();
        try
        {
            ends.Add(new End(names[0], addresses[0], [.. Enumerable.Range(1, Peers).Select(i => (names[i], addresses[i]))]));
            for (var i = 1; i <= Peers; i++) ends.Add(new End(names[i], addresses[i], [(names[0], addresses[0])]));
            foreach (var end in ends) await end.StartAsync();
            await Poll.UntilAsync(
                () => Task.FromResult(ends.All(e => e.AreHealthy)), TimeSpan.FromSeconds(60), () => string.Join(", ", ends.SelectMany(e => e.States)));
            using var load = new RequestLoad(ends);
            await Task.Delay(WarmUp);
            var costs = new List<double>();
            for (var span = 0; span < Spans; span++)
            {
                var (cpu, allocated, began, reports) = (ProcessorTime.OfProcess() - load.Spent, GC.GetTotalAllocatedBytes(), TimeProvider.System.GetTimestamp(), Heard(ends));
                await Task.Delay(Span);
                var took = TimeProvider.System.GetElapsedTime(began);
                var spent = ProcessorTime.OfProcess() - load.Spent - cpu;
                var heard = Heard(ends) - reports;
                costs.Add(spent / took / (2 * Peers));
                output.WriteLine(
                    $"{costs[^1]:0.000%} of a core for each end of a link; {spent.TotalMicroseconds / heard:0} µs and {(GC.GetTotalAllocatedBytes() - allocated) / heard} bytes for each of {heard} reports, made, sent and taken");
            }

            // Both what it should be and what a machine that does ten other things at once does not break.
            Assert.InRange(costs.Min(), 0, 0.01);
        }
        finally
        {
            foreach (var end in ends) await end.DisposeAsync();
        }
    }

    private static long Heard(List<End> ends) => ends.Sum(e => e.Heard);

    /// <summary>A region: its pool and its side of the exchange, without the gateway.</summary>
    private sealed class End(string name, IPEndPoint address, (string Name, IPEndPoint Address)[] peers) : IAsyncDisposable, IRegionEngine
    {
        private readonly PoolState _pool = BusyPool.Make(name, Endpoints, TimeProvider.System, [.. peers.Select(p => p.Name)]);
        private readonly Lock _gate = new();
        private FederationService? _service;
        private Action? _sooner;
        private long _heard;
        private long _sent;

        public long Heard => Interlocked.Read(ref _heard);

        public IEnumerable<string> States => _service!.Hub.Peers().Select(p => $"{name}-{p.Name} {p.State} {p.LastError}");

        public bool AreHealthy => _service!.Hub.Peers().All(p => p.State == PeerReach.Healthy);

        public Task StartAsync()
        {
            var options = new GatewayOptions { Region = name, Federation = { Listen = address.ToString() } };
            foreach (var (peer, at) in peers) options.Peers[peer] = new PeerOptions { Url = $"http://{at}" };
            _service = FederationService.Create(options, this, new GatewayMetrics(), TimeProvider.System, NullLoggerFactory.Instance)!;
            return _service.StartAsync((_, _) => Task.CompletedTask);
        }

        /// <summary>Some requests come and go between two reports.</summary>
        public void Send()
        {
            bool isNeededSooner;
            lock (_gate)
            {
                BusyPool.Send(_pool, 4, ++_sent);
                isNeededSooner = _pool.NeedsReportSooner;
            }

            if (isNeededSooner) _sooner?.Invoke();
        }

        public async ValueTask DisposeAsync()
        {
            if (_service is not null) await _service.DisposeAsync();
        }

        public void Federate(ImmutableArray<string> regions, Action reportSooner, Func<ImmutableArray<PeerLinkSnapshot>> snapshot) => _sooner = reportSooner;

        public ImmutableArray<PoolReport> BuildReport(string receiver)
        {
            lock (_gate) return [_pool.BuildReport(receiver)];
        }

        public void ApplyPeer(RegionReport report)
        {
            Interlocked.Increment(ref _heard);
            lock (_gate) _pool.ApplyPeer(report, report.Pools[0]);
        }

        public void PeerLost(string region)
        {
            lock (_gate) _pool.PeerLost(region);
        }

        public void ApplyRoundTrip(string region, TimeSpan roundTrip)
        {
            lock (_gate) _pool.ApplyRoundTrip(region, roundTrip);
        }
    }

    /// <summary>Requests for all regions from a thread of its own, whose processor time is told.</summary>
    private sealed class RequestLoad : IDisposable
    {
        private readonly Thread _thread;
        private long _spentTicks;
        private volatile bool _stopped;

        public RequestLoad(List<End> ends)
        {
            _thread = new Thread(() =>
            {
                while (!_stopped)
                {
                    foreach (var end in ends) end.Send();
                    Interlocked.Exchange(ref _spentTicks, ProcessorTime.OfThread().Ticks);
                    Thread.Sleep(20);
                }
            }) { IsBackground = true, Name = "load" };
            _thread.Start();
        }

        public TimeSpan Spent => TimeSpan.FromTicks(Interlocked.Read(ref _spentTicks));

        public void Dispose()
        {
            _stopped = true;
            _thread.Join();
        }
    }
}
