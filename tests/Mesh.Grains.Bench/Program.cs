using System.Diagnostics;
using System.Globalization;
using Mesh.Core.Config;
using Mesh.Core.Routing;
using Mesh.Engine;
using Mesh.Grains.Bench;
using Mesh.Grains.Contracts;
using Mesh.Grains.Gateways;
using Mesh.Grains.Hosting;
using Mesh.Simulation.Server;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

// dotnet run -c Release --project tests/Mesh.Grains.Bench -- cohosted|tcp|shards [seconds per figure]
// Placements beside bare calls of a grain with the same message, in turns, and the medians of five turns.
const int SiloPort = 21111;
const int GatewayPort = 23000;
if (args is ["silo"])
{
    var (silo, configuration, servers) = await Bench.StartSiloAsync(SiloPort, GatewayPort);
    Console.WriteLine(string.Join(' ', servers.Select(s => s.Address)));
    await Console.In.ReadLineAsync();
    await silo.StopAsync();
    return 0;
}

var seconds = args.Length > 1 ? double.Parse(args[1], CultureInfo.InvariantCulture) : 2;
if (args is ["cohosted", ..])
{
    var (silo, configuration, _) = await Bench.StartSiloAsync(SiloPort, GatewayPort);
    await Bench.MeasureAsync("co-hosted", null, silo.Services.GetRequiredService<IGrainFactory>(), configuration, seconds);
    await silo.StopAsync();
    return 0;
}

if (args is ["tcp", ..])
{
    using var child = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, [.. Bench.SelfArguments, "silo"]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
    var addresses = (await child.StandardOutput.ReadLineAsync())!.Split(' ');
    var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
    builder.UseOrleansClient(client => client.UseLocalhostClustering(GatewayPort));
    using var client = builder.Build();
    await client.StartAsync();
    await Bench.MeasureAsync("over TCP", child, client.Services.GetRequiredService<IGrainFactory>(), Bench.Config(addresses), seconds);
    await client.StopAsync();
    await child.StandardInput.WriteLineAsync();
    await child.WaitForExitAsync();
    return 0;
}

if (args is ["shards", ..])
{
    await ShardBench.RunAsync(SiloPort, GatewayPort, seconds);
    return 0;
}

Console.WriteLine("cohosted|tcp|shards [seconds]");
return 1;

internal static class Bench
{
    private const int Endpoints = 16;
    private const int Turns = 5;
    private const int WarmUpTurns = 200;
    private const double WarmUpSeconds = 0.05;
    private static readonly PoolId Pool = new("default", "pool");

    public static string[] SelfArguments => Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? [typeof(Bench).Assembly.Location] : [];

    public static MeshConfig Config(IReadOnlyList<string> addresses) => new()
    {
        Version = 1,
        Clusters = [new ClusterConfig { Name = "gke-west", Region = "europe-west3", Zone = "europe-west3-c" }],
        Pools =
        [
            new PoolConfig
            {
                Id = Pool,
                Backends =
                [
                    new BackendConfig
                    {
                        Id = new BackendId("gke-west", "europe-west3-c", 8000),
                        Region = "europe-west3",
                        Endpoints = [.. addresses.Order(StringComparer.Ordinal).Select(a => new EndpointConfig { Id = new(a), PodName = a })],
                    },
                ],
            },
        ],
    };

    public static async Task<(IHost Silo, MeshConfig Config, List<SimulatedVllmServer> Servers)> StartSiloAsync(int port, int gatewayPort, GrainOptions? options = null)
    {
        var servers = new List<SimulatedVllmServer>();
        for (var i = 0; i < Endpoints; i++) servers.Add(await SimulatedVllmServer.StartAsync(new SimulatedVllmOptions(), CancellationToken.None));
        var config = Config([.. servers.Select(s => s.Address)]);
        var configuration = new SiloConfiguration();
        configuration.Set(config);
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.UseOrleans(silo =>
        {
            silo.UseLocalhostClustering(port, gatewayPort);
            silo.AddMeshGrains(options ?? new GrainOptions(), configuration);
        });
        var host = builder.Build();
        await host.StartAsync();
        return (host, config, servers);
    }

    public static async Task MeasureAsync(string title, Process? silo, IGrainFactory grains, MeshConfig config, double seconds)
    {
        await using var engine = new GrainEngine(new GrainEngineOptions { GatewayId = "bench" }, grains, TimeProvider.System, NullLoggerFactory.Instance);
        engine.Reconfigure(config);
        while (engine.Snapshot()[0].Backends.Sum(b => b.HealthyEndpoints) < Endpoints) await Task.Delay(100);
        var echo = grains.GetGrain<IEchoGrain>("echo");
        var request = Request(engine);
        var call = RouteCall.From(in request, 1) with { Epoch = 1L << 50, Session = 1, Settled = 1 };

        async Task BareAsync() => await echo.Echo(call);
        async Task PlaceAsync()
        {
            var decision = await engine.Router.RouteAsync(request, default);
            if (decision.Kind != RouteKind.Send) throw new InvalidOperationException($"{decision.Reason}");
            engine.Router.Complete(Pool, decision.Lease, new RequestOutcome(OutcomeKind.Success));
        }

        foreach (var callers in new[] { 1, 64 })
        {
            var (bare, place) = (new List<Figures>(), new List<Figures>());
            // In short turns, and for long: the runtime compiles what both use for whatever it sees while it warms up, and on a busy machine takes seconds over it.
            for (var turn = 0; turn < WarmUpTurns; turn++)
            {
                await RunAsync(silo, BareAsync, callers, WarmUpSeconds);
                await RunAsync(silo, PlaceAsync, callers, WarmUpSeconds);
            }
            for (var turn = 0; turn < Turns; turn++)
            {
                bare.Add(await RunAsync(silo, BareAsync, callers, seconds));
                place.Add(await RunAsync(silo, PlaceAsync, callers, seconds));
            }
            var (b, p) = (Median(bare), Median(place));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{title}, {callers} callers: bare {b.PerSecond:F0}/s p50 {b.P50:F1} p99 {b.P99:F0} us; placements {p.PerSecond:F0}/s p50 {p.P50:F1} p99 {p.P99:F0} us; ratio {p.PerSecond / b.PerSecond:F2}, added p50 {p.P50 - b.P50:F1} us; processor time {b.Processor:F1} and {p.Processor:F1} us"));
        }
    }

    private static RouteRequest Request(IMeshEngine engine) => new()
    {
        RequestId = "0123456789abcdef",
        Pool = Pool,
        Session = engine.Session,
        FairnessId = "tenant-1",
        Model = "meta-llama/Llama-3.1-8B-Instruct",
        // Short: what is measured is the way, not the queue that a pool keeps for busy endpoints.
        PromptTokens = 8,
        MaxOutputTokens = 8,
        BodyBytes = 200,
        PrefixChain = new ulong[] { 1, 2, 3, 4, 5, 6, 7, 8 },
    };

    private static Figures Median(List<Figures> figures) => new(
        Middle(figures.Select(f => f.PerSecond)), Middle(figures.Select(f => f.P50)), Middle(figures.Select(f => f.P99)), Middle(figures.Select(f => f.Processor)));

    private static double Middle(IEnumerable<double> values) => values.Order().ElementAt(Turns / 2);

    private static async Task<Figures> RunAsync(Process? silo, Func<Task> one, int callers, double seconds)
    {
        var time = TimeProvider.System;
        var processor = ProcessorTime(silo);
        var began = time.GetTimestamp();
        var all = await Task.WhenAll(Enumerable.Range(0, callers).Select(_ => Task.Run(async () =>
        {
            var took = new List<double>(1 << 16);
            while (time.GetElapsedTime(began).TotalSeconds < seconds)
            {
                var from = time.GetTimestamp();
                await one();
                took.Add(time.GetElapsedTime(from).TotalMicroseconds);
            }
            return took;
        })));
        var elapsed = time.GetElapsedTime(began).TotalSeconds;
        processor = ProcessorTime(silo) - processor;
        var sorted = all.SelectMany(t => t).Order().ToArray();
        return new Figures(sorted.Length / elapsed, sorted[sorted.Length / 2], sorted[(int)(sorted.Length * 0.99)], processor.TotalMicroseconds / sorted.Length);
    }

    // Of both processes: what a busy machine does not change much.
    private static TimeSpan ProcessorTime(Process? silo)
    {
        silo?.Refresh();
        return Environment.CpuUsage.TotalTime + (silo?.TotalProcessorTime ?? TimeSpan.Zero);
    }

    private readonly record struct Figures(double PerSecond, double P50, double P99, double Processor);
}
