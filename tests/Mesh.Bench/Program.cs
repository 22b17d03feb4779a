using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Mesh.Bench.Gateway;
using Mesh.Bench.Scraping;

// dotnet run -c Release --project tests/Mesh.Bench -- kv-events: a run in real time, see results/kv-events.md.
if (args is ["kv-events", .. var options]) return await Mesh.Bench.KvEvents.KvEventsRun.MainAsync(options);

// dotnet run -c Release --project tests/Mesh.Bench -- gateway backends|… : what measures the gateway as a process among others
if (args is ["gateway", .. var rest]) return await GatewayCommands.RunAsync(rest);

// dotnet run -c Release --project tests/Mesh.Bench -- route-cost: processor time of a placement by the size of the pool
if (args is ["route-cost", .. var sizes]) return Mesh.Bench.Routing.RouteCost.Run(sizes);

// dotnet run -c Release --project tests/Mesh.Bench -- cross-check: one workload over HTTP in real time and in the virtual world
if (args is ["cross-check", .. var checkOptions]) return await Mesh.Bench.CrossCheck.CrossCheckRun.MainAsync(checkOptions);

// dotnet run -c Release --project tests/Mesh.Bench -- --filter '*'
// In process: the generated projects of the default toolchain would need their packages again.
// dotnet run -c Release --project tests/Mesh.Bench -- scrapes: CPU of whole scrapes, against pages served by another process
if (args is ["scrapes", ..]) return await ScrapeCost.RunAsync();
if (args is ["serve-pages", ..]) return await PageServer.RunAsync();
var config = DefaultConfig.Instance
    .AddJob(Job.Default.WithToolchain(InProcessEmitToolchain.Instance).WithWarmupCount(3).WithIterationCount(8).WithIterationTime(Perfolizer.Horology.TimeInterval.FromMilliseconds(200)))
    .AddDiagnoser(MemoryDiagnoser.Default);
BenchmarkSwitcher.FromAssembly(typeof(GatewayCommands).Assembly).Run(args, config);
return 0;
