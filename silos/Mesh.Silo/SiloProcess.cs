using System.Runtime.InteropServices;
using Mesh.Core.Config;
using Mesh.Gateway.Hosting;
using Mesh.Gateway.Rehearsing;
using Mesh.Gateway.Telemetry.Otlp;
using Mesh.Gateway.Tls;
using Mesh.Grains.Gateways;
using Mesh.Grains.Hosting;
using Mesh.Resources;
using Mesh.Resources.Diagnostics;

namespace Mesh.Silo;

/// <summary>The process: manifests, then the silo or the way to silos, then the gateway; stopped in the opposite order.</summary>
internal sealed partial class SiloProcess(GatewayOptions options, SiloOptions silo, string manifests, TextWriter output, TextWriter error, TimeProvider time)
{
    private const int Failed = 1;

    private bool HostsGrains => silo.Role != SiloRole.Gateway;

    private bool Serves => silo.Role != SiloRole.Silo;

    /// <summary>Runs until the process is told to stop.</summary>
    /// <returns>Exit code: 0 after a stop that was asked for, 1 when it could not start.</returns>
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error)
    {
        if (CommandLine.AsksForHelp(args))
        {
            await output.WriteLineAsync(Help);
            return 0;
        }

        try
        {
            var options = CommandLine.Read(args);
            var silo = SiloOptions.Read(new ConfigurationBuilder()
                .AddJsonFile(Path.Combine(Directory.GetCurrentDirectory(), "appsettings.json"), optional: true)
                .AddEnvironmentVariables()
                .AddCommandLine(args)
                .Build());
            var manifests = options.Manifests ?? throw new GatewayConfigurationException("Name the directory of the manifests: --manifests DIR.");
            return await new SiloProcess(options, silo, manifests, output, error, TimeProvider.System).RunAsync();
        }
        catch (GatewayConfigurationException e)
        {
            await error.WriteLineAsync(e.Message);
            return Failed;
        }
    }

    private async Task<int> RunAsync()
    {
        using var loggers = LoggerFactory.Create(logging => logging
            .AddFilter(SiloLog.Filter(silo.OrleansLog))
            .AddSimpleConsole(console => console.SingleLine = true));
        var rehearsing = Serves && options.Rehearses ? GatewayRehearsal.Begin(options, time, loggers) : Task.CompletedTask;
        await using var federation = await SiloFederation.PrepareAsync(options, manifests, time, loggers);
        using var feed = federation?.Feed(manifests, time, loggers) ?? new ManifestFeed(manifests, time, loggers);
        Report(feed.First);
        if (feed.FirstConfig is not { } config) return Failed;
        federation?.Follow(config);
        await using var fleet = new SimulatedFleet(options.SimulationSpeed, loggers);
        if (options.Simulate == true) await fleet.ApplyAsync(config);
        using var upstreamTls = new UpstreamTls(options.UpstreamTls, time, loggers);
        upstreamTls.Follow(config);
        var engine = GatewayProcess.EngineOptionsFor(options);
        if (options.UpstreamTls.Count > 0) engine = engine with { Security = upstreamTls.SecurityOf };

        var configuration = new SiloConfiguration();
        configuration.Set(config);
        using var host = HostsGrains ? SiloHosts.Silo(silo, options.Keys, engine, options.Seed, configuration, federation?.ForGrains, time, loggers) : SiloHosts.Client(silo, loggers);
        var starting = host.StartAsync();
        // A gateway opens its listeners before it has found a silo; a silo is up or has failed.
        if (HostsGrains) await starting;
        void Follow(MeshConfig changed)
        {
            // Whatever is wrong with the peers is said before anything has changed.
            federation?.Follow(changed);
            upstreamTls.Follow(changed);
            configuration.Set(changed);
            if (options.Simulate == true) fleet.Follow(changed);
        }

        if (Serves)
        {
            await ServeAsync(rehearsing, host, feed, config, engine, upstreamTls, federation, loggers, Follow);
        }
        else
        {
            federation?.Attach($"{silo.Address}:{silo.Port}", host.Services.GetRequiredService<IGrainFactory>(), time, loggers);
            await WaitAsync(feed, Follow);
        }

        await StopAsync(host, starting);
        await output.WriteLineAsync("Stopped.");
        return 0;
    }

    // A silo that cannot take itself off the list tries it for as long as it lives.
    private async Task StopAsync(IHost host, Task starting)
    {
        try
        {
            await Task.Run(() => host.StopAsync()).WaitAsync(silo.StopTimeout, time);
            await starting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        catch (TimeoutException)
        {
            await error.WriteLineAsync(
                $"Not stopped within {silo.StopTimeout.TotalSeconds:0} s (Silo:StopTimeout); {(silo.Redis is { } redis ? $"is Redis at {redis} there? " : "")}Ends now; other silos find out by themselves.");
            Environment.Exit(Failed);
        }
    }

    private async Task ServeAsync(
        Task rehearsing, IHost host, ManifestFeed feed, MeshConfig config, Engine.EngineOptions engineOptions, UpstreamTls upstreamTls, SiloFederation? federation,
        ILoggerFactory loggers, Action<MeshConfig> follow)
    {
        var way = new GrainEngineOptions
        {
            GatewayId = silo.GatewayId ?? $"{Environment.MachineName}-{Environment.ProcessId}",
            FailStaticFor = silo.FailStaticFor,
            Pool = engineOptions.Pool,
            Seed = options.Seed,
            ExplainedDecisions = options.DecisionLog.Capacity,
        };
        await using var engine = new GrainEngine(way, host.Services.GetRequiredService<IGrainFactory>(), time, loggers);
        engine.Reconfigure(config);
        await rehearsing;
        await using var gateway = await GatewayHost.StartAsync(options, config, engine, time, loggers, upstreamTls);
        using var export = OtlpExport.Start(options.Otlp, options.Region ?? "", Environment.GetEnvironmentVariable);
        feed.Attach(gateway, follow);
        if (gateway.Federation is { } service) federation?.Attach(service);
        Banner.Write(output, gateway, config, manifests, options.Simulate == true, readyAfter: null);
        await output.WriteLineAsync(Where());
        await gateway.WaitForShutdownAsync();
    }

    private async Task WaitAsync(ManifestFeed feed, Action<MeshConfig> follow)
    {
        var told = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            told.TrySetResult();
        }

        using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var export = OtlpExport.Start(options.Otlp, options.Region ?? "", Environment.GetEnvironmentVariable);
        feed.Attach(follow);
        await output.WriteLineAsync(Where());
        await told.Task;
    }

    private string Where()
    {
        var members = silo.Redis is null ? "of this machine" : "by Redis";
        var self = HostsGrains ? $"silo {silo.Address}:{silo.Port}, for gateways {silo.Address}:{silo.GatewayPort}" : "no silo";
        return $"  cluster    {silo.ClusterId}, silos {members}; {self}{(HostsGrains && silo.Admin is { } admin ? $"; http://{admin}/dashboard" : "")}";
    }

    private void Report(LoadResult result)
    {
        foreach (var finding in result.Diagnostics) (finding.Severity == Severity.Error ? error : output).WriteLine(finding);
        if (result.Config is null) error.WriteLine($"The manifests in {manifests} cannot be used; not started.");
    }

    private const string Help = """
        Mesh silo: the gateway and its engine on more than one machine.

          --manifests DIR              a directory with one folder of manifests for each cluster
          --Silo:Role=ROLE             Silo (hosts the grains), Gateway (serves requests) or Both; Both by default
          --Silo:Redis=HOST:PORT       where the list of silos is kept; without it: silos of this machine alone
          --Silo:Port=PORT             for other silos; 11111 by default
          --Silo:GatewayPort=PORT      for gateways; 30000 by default
          --Silo:Address=IP            by which others reach this silo; 127.0.0.1 by default
          --Silo:Admin=IP:PORT         the silo's dashboard, /healthz, /readyz and /mesh/v1/grains there
          --Silo:StopTimeout=HH:MM:SS  for handing over when told to stop; 00:00:30 by default
          --Silo:ClusterId=NAME        the same for all silos and gateways of a region; mesh by default
          --region, --peer NAME=URL    peer regions, the same at all silos and gateways; gateways also --peers-at IP:PORT,
                                       and silos, where the manifests name the peers: they open nothing there

        Everything else is as for the gateway: --region, --bind, --admin, --simulate, --Mesh:NAME=VALUE.
        """;
}
