using System.Globalization;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Snapshots;
using Mesh.Engine;
using Mesh.Simulation.KvEvents;
using Mesh.Simulation.Server;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.Bench.KvEvents;

/// <summary>
/// Sessions that share prefixes, on simulated endpoints whose caches are smaller than the sessions' prompts together, at overload, in real
/// time and over real sockets: with the endpoints' cache events and with routing history alone, in turn, from the same seed.
/// </summary>
internal static class KvEventsRun
{
    private const int EventsPort = 26557;
    private const int ReplayPort = 26657;
    private static readonly PoolId Pool = new("default", "pool");

    /// <summary><c>kv-events [--runs 3] [--seconds 60] [--rate 20] [--sessions 400] [--blocks 3500] [--delay-ms 0] [--loss 0] [--seed 1] [--speed 0.25]</c>.</summary>
    public static async Task<int> MainAsync(string[] arguments)
    {
        double Option(string name, double otherwise) =>
            Array.IndexOf(arguments, "--" + name) is >= 0 and var at ? double.Parse(arguments[at + 1], CultureInfo.InvariantCulture) : otherwise;
        var load = new SessionLoad
        {
            Seconds = Option("seconds", 60),
            RatePerSecond = Option("rate", 20),
            Sessions = (int)Option("sessions", 400),
            Seed = (ulong)Option("seed", 1),
            Speed = Option("speed", 0.25),
        };
        Console.WriteLine("mode     requests  failed  hit ratio  TTFT p50  TTFT p90  goodput/s  error of prediction  learned/ambiguous/unmatched/corrected/contradicted");
        for (var run = 0; run < (int)Option("runs", 3); run++)
        {
            foreach (var events in (bool[])[false, true])
            {
                var result = await RunAsync(load, events, (int)Option("blocks", 3500), Option("delay-ms", 0), Option("loss", 0), Option("speed", 0.25));
                Console.WriteLine(result);
            }
        }
        return 0;
    }

    private static async Task<string> RunAsync(SessionLoad load, bool events, int blocks, double delayMs, double loss, double speed)
    {
        var servers = new List<SimulatedVllmServer>();
        for (var i = 0; i < 4; i++)
        {
            servers.Add(await SimulatedVllmServer.StartAsync(
                new SimulatedVllmOptions
                {
                    // Every one has an address of its own: on Linux all of 127.0.0.0/8 is the loopback interface.
                    Host = string.Create(CultureInfo.InvariantCulture, $"127.0.9.{i + 1}"),
                    NumGpuBlocks = blocks,
                    Speed = speed,
                    MaxModelLen = 8192,
                    KvEvents = events ? new KvEventOptions { Port = EventsPort, ReplayPort = ReplayPort, Delay = TimeSpan.FromMilliseconds(delayMs), LossRatio = loss, Seed = load.Seed + (ulong)i } : null,
                },
                CancellationToken.None));
        }

        var engine = new EmbeddedEngine(new EngineOptions(), TimeProvider.System, NullLoggerFactory.Instance, load.Seed);
        try
        {
            engine.Reconfigure(Config(servers, events));
            await UntilAsync(engine, e => e.Health == EndpointHealth.Healthy && (!events || e.CacheKnowledge == Mesh.Core.PrefixCache.Exact.CacheKnowledge.Exact));
            var result = await load.RunAsync(engine, Pool, CancellationToken.None);
            var learning = engine.Snapshot()[0].CacheEvents?.Learning;
            var line = string.Create(
                CultureInfo.InvariantCulture,
                $"{(events ? "events " : "history")}  {result.Requests,8}  {result.Failed,6}  {result.HitRatio,9:P1}  {result.TtftMs(0.5),6:F0} ms  {result.TtftMs(0.9),6:F0} ms  {result.GoodputPerSecond,9:F2}");
            if (learning is not { } l) return line;
            var error = (double)l.AbsoluteErrorTokens / Math.Max(1, l.CachedTokens);
            return line + string.Create(CultureInfo.InvariantCulture, $"  {error,19:P1}  {l.Learned}/{l.Ambiguous}/{l.Unmatched}/{l.Corrected}/{l.Contradicted}");
        }
        finally
        {
            await engine.DisposeAsync();
            foreach (var server in servers) await server.KillAsync();
        }
    }

    private static MeshConfig Config(List<SimulatedVllmServer> servers, bool events) => new()
    {
        Version = 1,
        Pools =
        [
            new PoolConfig
            {
                Id = Pool,
                Timeout = TimeSpan.FromMinutes(5),
                KvEvents = events ? new KvEventsConfig { Enabled = true, Port = EventsPort, ReplayPort = ReplayPort } : KvEventsConfig.None,
                Backends =
                [
                    new BackendConfig
                    {
                        Id = new BackendId("cluster", "zone", 8000),
                        Region = "region",
                        Endpoints = [.. servers.Select(s => new EndpointConfig { Id = new EndpointId(s.Address), PodName = s.Address }).OrderBy(e => e.Id)],
                    },
                ],
            },
        ],
    };

    private static async Task UntilAsync(EmbeddedEngine engine, Func<EndpointSnapshot, bool> holds)
    {
        for (var i = 0; i < 300; i++)
        {
            if (engine.Snapshot()[0].Backends.SelectMany(b => b.Endpoints).All(holds)) return;
            await Task.Delay(100);
        }
        throw new TimeoutException("the endpoints did not become ready");
    }
}
