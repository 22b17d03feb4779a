using System.Diagnostics;
using System.Globalization;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Leases;
using Mesh.Core.Routing;
using Mesh.Core.Sharding;
using Mesh.Engine;
using Mesh.Grains.Contracts;
using Mesh.Grains.Gateways;
using Mesh.Grains.Hosting;
using Mesh.Grains.Pools;
using Mesh.Grains.Shards;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.Grains.Bench;

/// <summary>
/// Where one activation of a pool's grain has its limit, and what a shard adds, in processor time: what one core cannot do, another activation does. First the grain's
/// turn alone, by the size of the pool; then a silo and a gateway in one process with one, two and four shards.
/// </summary>
internal static class ShardBench
{
    private const int BatchSize = 32;
    private const int Callers = 64;
    private const int Placements = 50_000;
    private static readonly GatewaySession Session = new("bench", 1);
    private static readonly PoolId Pool = new("default", "pool");

    public static async Task RunAsync(int siloPort, int gatewayPort, double seconds)
    {
        var (silo, _, servers) = await global::Bench.StartSiloAsync(siloPort, gatewayPort);
        var mesh = silo.Services.GetRequiredService<SiloMesh>();
        foreach (var endpoints in new[] { 16, 250, 1000, 4000 })
        {
            Turn(mesh, endpoints);
            var micros = Enumerable.Range(0, 5).Select(_ => Turn(mesh, endpoints)).Order().ElementAt(2);
            Print($"turn alone, {endpoints} endpoints: {micros:F2} us of processor time for each placement and its end, so {1e6 / micros:F0}/s at most for one activation");
        }
        await silo.StopAsync();
        foreach (var server in servers) await server.KillAsync();

        foreach (var shards in new[] { 1, 2, 4 }) await WholeAsync(siloPort + shards, gatewayPort + shards, shards, seconds);
    }

    // What the grain does with an exchange, without the way there.
    private static double Turn(SiloMesh mesh, int endpoints)
    {
        var config = global::Bench.Config([.. Enumerable.Range(0, endpoints).Select(i => $"10.0.{i / 250}.{i % 250}:8000")]);
        var pool = config.Pools[0];
        var state = new PoolState(pool, TimeProvider.System, 1, new PoolStateOptions { SlowStartWindow = TimeSpan.Zero });
        foreach (var endpoint in pool.Backends[0].Endpoints) state.ApplyHealth(endpoint.Id, EndpointHealth.Healthy);
        var host = new PoolHost(state, static () => { });
        var calls = new PoolCalls(mesh, Pool, new ShardMember(0, mesh, new ShardingOptions(), TimeSpan.Zero)) { Host = host, Epoch = 1 };
        var session = calls.Sessions.FindOrAdd(Session)!;
        host.Heartbeat(Session);
        var began = TimeProvider.System.GetTimestamp();
        var before = ThreadMicros();
        var number = 0L;
        while (number < Placements)
        {
            var many = new RouteCall[BatchSize];
            for (var i = 0; i < many.Length; i++)
            {
                var request = Request(Session, (ulong)number);
                many[i] = RouteCall.From(in request, ++number);
            }
            foreach (var reply in calls.Enter(many, number - BatchSize + 1, session, TimeProvider.System.GetElapsedTime(began)))
            {
                if (reply.Kind == ReplyKind.Send) host.Complete(new LeaseId(reply.LeaseEpoch, reply.LeaseSequence), new RequestOutcome(OutcomeKind.Success));
            }
        }
        return (ThreadMicros() - before) / number;
    }

    // Processor time of this thread alone, by the kernel's count: others compile, probe and scrape meanwhile.
    private static double ThreadMicros() =>
        long.Parse(File.ReadAllText("/proc/thread-self/schedstat").Split(' ')[0], CultureInfo.InvariantCulture) / 1000.0;

    private static async Task WholeAsync(int siloPort, int gatewayPort, int shards, double seconds)
    {
        // As if it could still be split, so that the activations measure how busy they are; but never within this time.
        var sharding = new ShardingOptions { Shards = shards, MostShards = shards + 1, SplitAfter = TimeSpan.FromMinutes(10) };
        var (silo, config, servers) = await global::Bench.StartSiloAsync(siloPort, gatewayPort, new GrainOptions { Sharding = sharding });
        var grains = silo.Services.GetRequiredService<IGrainFactory>();
        await using (var engine = new GrainEngine(new GrainEngineOptions { GatewayId = "bench" }, grains, TimeProvider.System, NullLoggerFactory.Instance))
        {
            engine.Reconfigure(config);
            var links = engine.Links.Links[Pool];
            while (links.Map is not { IsMoving: false } map || map.Count != shards || engine.Snapshot()[0].Backends.Sum(b => b.HealthyEndpoints) < servers.Count) await Task.Delay(100);
            await LoadAsync(engine, 2 * seconds);
            var figures = new List<(double PerSecond, double Micros, double Busy)>();
            for (var turn = 0; turn < 5; turn++)
            {
                using var process = Process.GetCurrentProcess();
                var (cpu, from) = (process.TotalProcessorTime, TimeProvider.System.GetTimestamp());
                var placed = await LoadAsync(engine, seconds);
                process.Refresh();
                var busy = 0.0;
                for (var shard = 0; shard < shards; shard++) busy = Math.Max(busy, (await grains.GetGrain<IPoolGrain>(PoolKey.Of(Pool, shard)).Keep()).Busy);
                figures.Add((placed / TimeProvider.System.GetElapsedTime(from).TotalSeconds, (process.TotalProcessorTime - cpu).TotalMicroseconds / placed, busy));
            }
            var snapshot = engine.Snapshot()[0];
            Print($"{shards} shards, {Callers} callers, silo and gateway in one process: {Middle(figures.Select(f => f.PerSecond)):F0}/s, {Middle(figures.Select(f => f.Micros)):F1} us of processor time each in all, busiest activation {Middle(figures.Select(f => f.Busy)):P0} of its time, sent on {snapshot.Shards.Sum(s => s.Forwarded)}");
        }
        await silo.StopAsync();
        foreach (var server in servers) await server.KillAsync();
    }

    private static async Task<int> LoadAsync(GrainEngine engine, double seconds)
    {
        var began = TimeProvider.System.GetTimestamp();
        var counts = await Task.WhenAll(Enumerable.Range(0, Callers).Select(caller => Task.Run(async () =>
        {
            var placed = 0;
            while (TimeProvider.System.GetElapsedTime(began).TotalSeconds < seconds)
            {
                var decision = await engine.Router.RouteAsync(Request(engine.Session, ((ulong)caller << 32) | (uint)placed), default);
                if (decision.Kind != RouteKind.Send) throw new InvalidOperationException($"{decision.Reason}");
                engine.Router.Complete(Pool, decision.Lease, new RequestOutcome(OutcomeKind.Success));
                placed++;
            }
            return placed;
        })));
        return counts.Sum();
    }

    private static RouteRequest Request(GatewaySession session, ulong prefix) => new()
    {
        RequestId = "0123456789abcdef",
        Pool = Pool,
        Session = session,
        FairnessId = "tenant-1",
        PromptTokens = 8,
        MaxOutputTokens = 8,
        BodyBytes = 200,
        PrefixChain = new ulong[] { prefix, 2, 3, 4, 5, 6, 7, 8 },
    };

    private static double Middle(IEnumerable<double> values) => values.Order().ElementAt(2);

    private static void Print(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
