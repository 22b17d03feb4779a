using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using Mesh.Core.FlowControl;
using Mesh.Core.Randomness;
using Mesh.Core.Routing;
using Mesh.Engine;
using Mesh.Grains.Gateways;
using Xunit.Abstractions;

namespace Mesh.Grains.Tests;

/// <summary>
/// More requests than there is room for, at a steady rate, clients that leave, a network that loses messages, gateways that are not heard for longer than their
/// sessions last, and the pool's silo killed: every request gets a placement or a refusal, and nothing is left over. MESH_LONG=1 tries more seeds.
/// </summary>
public sealed class OverloadTests(ITestOutputHelper output) : IAsyncLifetime
{
    private static readonly TimeSpan SessionTimeout = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan MostWait = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(45);
    private SimulatedEndpoints _endpoints = null!;

    public static TheoryData<ulong> Seeds
    {
        get
        {
            var seeds = new TheoryData<ulong>();
            for (var seed = 1UL; seed <= (Environment.GetEnvironmentVariable("MESH_LONG") == "1" ? 20UL : 2UL); seed++) seeds.Add(seed);
            return seeds;
        }
    }

    public async Task InitializeAsync() => _endpoints = await SimulatedEndpoints.StartAsync(4);

    public async Task DisposeAsync() => await _endpoints.DisposeAsync();

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task KillSilo_UnderOverload_EveryRequestIsPlacedOrRefused(ulong seed)
    {
        var network = new UnreliableCalls(seed);
        await using var cluster = await MeshCluster.StartAsync(
            _endpoints.Config(inFlight: 2, flow: new FlowControlSettings { WhenFull = WhenFull.Queue, MaxWaitingRequests = 200, MaxWait = MostWait }), silos: 2,
            engine: new EngineOptions { HeartbeatInterval = SessionTimeout / 4, Pool = new PoolStateOptions { SessionTimeout = SessionTimeout } }, network: network);
        var gateways = new[] { cluster.AddGateway(), cluster.AddGateway() };
        await Eventually.HoldsAsync(() => gateways.All(g => g.Snapshot()[0].Backends[0].HealthyEndpoints == 4), "the gateways know that all are healthy");
        var load = new Requests(gateways, seed);

        network.IsOn = true;
        await load.SendAsync(60);
        // Nothing comes through for longer than a session lasts.
        network.LostShare = 1;
        await load.SendAsync((int)(1.3 * SessionTimeout / Pause));
        network.LostShare = 0.05;
        await load.SendAsync(60);
        await cluster.Cluster.KillSiloAsync(await cluster.SiloOfAsync(SimulatedEndpoints.PoolId));
        await load.SendAsync(100);
        network.IsOn = false;

        await load.EndAsync(Deadline);
        output.WriteLine(load.ToString());
        Assert.True(load.Unanswered.IsEmpty, $"seed {seed}: {load}\n{string.Join('\n', load.Unanswered.Select(n => $"request {n}"))}\n{string.Join('\n', gateways.Select(g => string.Join('\n', g.Links.Links.Values.SelectMany(l => l.Links).Select(l => l.Describe()))))}");
        Assert.True(load.Placed > 50, $"{load}");
        Assert.True(network.Lost > 50, $"{network.Lost} lost");
        await Eventually.HoldsAsync(async () => await cluster.Pool(SimulatedEndpoints.PoolId).Keep() is { Leases: 0, WaitingCalls: 0 }, $"seed {seed}: nothing is left");
    }

    /// <summary>Requests to two gateways, four every 10 ms; each keeps its endpoint for up to 60 ms.</summary>
    private sealed class Requests(GrainEngine[] gateways, ulong seed)
    {
        private const int AtOnce = 4;
        private const double LeavingShare = 0.1;
        private readonly Xoshiro256 _random = new(seed * 7919);
        private readonly ConcurrentDictionary<int, Task> _open = [];
        private readonly ConcurrentDictionary<DecisionReason, int> _refused = [];
        private int _sent;
        private int _placed;
        private int _left;

        public int Placed => Volatile.Read(ref _placed);

        /// <summary>Those that have neither been placed nor refused, and whose clients have not left.</summary>
        public ImmutableArray<int> Unanswered => [.. _open.Keys.Order()];

        public async Task SendAsync(int rounds)
        {
            for (var round = 0; round < rounds; round++)
            {
                for (var i = 0; i < AtOnce; i++)
                {
                    var number = ++_sent;
                    var (hold, leave) = (TimeSpan.FromMilliseconds(60 * _random.NextDouble()), _random.NextDouble() < LeavingShare ? TimeSpan.FromMilliseconds(300 * _random.NextDouble()) : Timeout.InfiniteTimeSpan);
                    var gateway = gateways[_random.NextInt32(gateways.Length)];
                    var task = Task.Run(() => OneAsync(gateway, number, hold, leave));
                    _open.TryAdd(number, task);
                    _ = task.ContinueWith(_ => _open.TryRemove(number, out Task? _), TaskScheduler.Default);
                }
                await Task.Delay(Pause);
            }
        }

        /// <summary>Waits until every request has ended, for so long at most.</summary>
        public async Task EndAsync(TimeSpan patience)
        {
            var began = TimeProvider.System.GetTimestamp();
            while (!_open.IsEmpty && TimeProvider.System.GetElapsedTime(began) < patience) await Task.Delay(20);
        }

        public override string ToString() => string.Create(
            CultureInfo.InvariantCulture,
            $"{_sent} requests: {_placed} placed, {_refused.Values.Sum()} refused ({string.Join(", ", _refused.OrderBy(r => r.Key).Select(r => $"{r.Value} {r.Key}"))}), {_left} left, {_open.Count} without a word");

        private async Task OneAsync(GrainEngine gateway, int number, TimeSpan hold, TimeSpan leave)
        {
            using var leaving = new CancellationTokenSource(leave);
            var request = new RouteRequest
            {
                RequestId = $"r{number}", Pool = SimulatedEndpoints.PoolId, Session = gateway.Session, FairnessId = "", IsStreaming = true, PromptTokens = 10, MaxOutputTokens = 10,
            };
            RouteDecision decision;
            try
            {
                decision = await gateway.Router.RouteAsync(request, leaving.Token);
            }
            catch (OperationCanceledException)
            {
                Interlocked.Increment(ref _left);
                return;
            }

            if (decision.Kind != RouteKind.Send)
            {
                _refused.AddOrUpdate(decision.Reason, 1, static (_, count) => count + 1);
                return;
            }

            Interlocked.Increment(ref _placed);
            await Task.Delay(hold / 2);
            gateway.Router.ReportFirstByte(SimulatedEndpoints.PoolId, decision.Lease);
            await Task.Delay(hold / 2);
            gateway.Router.Complete(SimulatedEndpoints.PoolId, decision.Lease, new RequestOutcome(OutcomeKind.Success));
        }
    }
}
