using Mesh.Core.Endpoints;
using Mesh.Core.Regions;
using Mesh.Core.Routing;
using Mesh.Core.SpillOver;
using Mesh.Engine;
using Mesh.Gateway.Federation;
using Mesh.Gateway.Federation.Configuration;
using Mesh.Gateway.Federation.Demo;
using Mesh.Gateway.Rehearsing;
using Mesh.Gateway.Telemetry.Otlp;
using Mesh.Gateway.Tls;
using Mesh.Resources;
using Mesh.Resources.Diagnostics;

namespace Mesh.Gateway.Hosting;

/// <summary>The process: options, manifests, engine, listeners, and the simulated endpoints of the quick start.</summary>
internal sealed class GatewayProcess(
    GatewayOptions options, string manifests, bool simulate, TextWriter output, TextWriter error, TimeProvider time)
{
    private const int Failed = 1;

    // Readiness is waited for only to say so; requests are taken from the start.
    private static readonly TimeSpan ReadyWait = TimeSpan.FromSeconds(3);

    /// <summary>Runs until the process is told to stop.</summary>
    /// <param name="args">Command line.</param>
    /// <param name="output">What a person reads.</param>
    /// <param name="error">Why it did not start.</param>
    /// <returns>Exit code: 0 after a stop that was asked for, 1 when it could not start.</returns>
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error)
    {
        if (CommandLine.AsksForHelp(args))
        {
            await output.WriteLineAsync(CommandLine.Help);
            return 0;
        }

        try
        {
            if (RegionsDemo.IsAskedFor(args)) return await new RegionsDemo(output, error, TimeProvider.System).RunAsync();
            var options = CommandLine.Read(args);
            var manifests = options.Manifests ?? QuickStart.FindManifests()
                ?? throw new GatewayConfigurationException(
                    "The quick start's manifests (deploy/examples/quickstart) are not here; name a directory: --manifests DIR.");
            options.StateDirectory ??= StateHome.For(options, manifests, Environment.GetEnvironmentVariable);
            var simulate = options.Simulate ?? options.Manifests is null;
            var process = new GatewayProcess(options, manifests, simulate, output, error, TimeProvider.System);
            return await process.RunAsync();
        }
        catch (GatewayConfigurationException e)
        {
            await error.WriteLineAsync(e.Message);
            return Failed;
        }
    }

    internal static EngineOptions EngineOptionsFor(GatewayOptions options) => new()
    {
        ConnectTimeout = options.ConnectTimeout,
        Pool = new PoolStateOptions
        {
            Locality = new Locality { Region = options.Region ?? "" },
            Regions = new RegionOptions { ReportInterval = options.Federation.ReportInterval },
            SlowStartWindow = options.SlowStartWindow,
            ExplainedDecisions = options.DecisionLog.Capacity,
            ExplainedRefusalsPerSecond = options.DecisionLog.RefusalsPerSecond,
        },
    };

    private async Task<int> RunAsync()
    {
        var started = time.GetTimestamp();
        using var loggers = LoggerFactory.Create(logging => logging
            .AddFilter(GatewayLog.Allows)
            .AddSimpleConsole(console => console.SingleLine = true));
        var rehearsing = options.Rehearses ? GatewayRehearsal.Begin(options, time, loggers) : Task.CompletedTask;
        var hasPeers = FederationPlan.IsWanted(options);
        using var exchange = hasPeers ? new ConfigExchange(options, manifests, time, loggers) : null;
        if (exchange is not null) await exchange.PrepareAsync();
        using var feed = new ManifestFeed(manifests, time, loggers, hasPeers ? options.Region : null, exchange, [.. options.Peers.Select(p => p.Value.Region ?? p.Key)]);
        Report(feed.First);
        if (feed.FirstConfig is not { } config) return Failed;
        await using var fleet = new SimulatedFleet(options.SimulationSpeed, loggers);
        if (simulate) await fleet.ApplyAsync(config);
        using var upstreamTls = new UpstreamTls(options.UpstreamTls, time, loggers);
        upstreamTls.Follow(config);
        var engineOptions = EngineOptionsFor(options);
        if (options.UpstreamTls.Count > 0) engineOptions = engineOptions with { Security = upstreamTls.SecurityOf };
        await using var engine = new EmbeddedEngine(engineOptions, time, loggers, options.Seed);
        engine.Reconfigure(config);
        await rehearsing;
        await using var host = await GatewayHost.StartAsync(options, config, engine, time, loggers, upstreamTls);
        // Ends before the host, whose instruments it reads a last time.
        using var export = OtlpExport.Start(options.Otlp, options.Region ?? "", Environment.GetEnvironmentVariable);
        feed.Attach(host, simulate ? fleet.Follow : null);
        if (host.Federation is { } federation) exchange?.Attach(federation, feed.Refresh);
        if (options.EndWithInput) StopWithInput(host);
        var ready = await WaitUntilReadyAsync(host, engine);
        Banner.Write(output, host, config, manifests, simulate, ready ? time.GetElapsedTime(started) : null);
        await host.WaitForShutdownAsync();
        await output.WriteLineAsync("Stopped.");
        return 0;
    }

    /// <summary>Stops the host when nobody holds the other end of the standard input any more. A thread of its own: reading it blocks.</summary>
    private static void StopWithInput(GatewayHost host) => new Thread(() =>
    {
        using var input = Console.OpenStandardInput();
        Span<byte> ignored = stackalloc byte[64];
        try
        {
            while (input.Read(ignored) > 0)
            {
                // What is said there means nothing; only its end does.
            }
        }
        catch (IOException)
        {
            // Nobody is there either.
        }

        _ = host.StopAsync();
    }) { IsBackground = true, Name = "input" }.Start();

    private void Report(LoadResult result)
    {
        foreach (var finding in result.Diagnostics)
        {
            (finding.Severity == Severity.Error ? error : output).WriteLine(finding);
        }

        var errors = result.Diagnostics.Count(d => d.Severity == Severity.Error);
        if (errors > 0) error.WriteLine($"{errors} error{(errors == 1 ? "" : "s")} in {manifests}; not started.");
        else if (result.Config is null) error.WriteLine($"No manifests in {manifests}; not started.");
    }

    /// <summary>Waits until every endpoint's health is known, for a while; true when requests can be served.</summary>
    private async Task<bool> WaitUntilReadyAsync(GatewayHost host, IMeshEngine engine)
    {
        var poll = TimeSpan.FromMilliseconds(20);
        var began = time.GetTimestamp();
        while (time.GetElapsedTime(began) < ReadyWait && !AllKnown(engine)) await Task.Delay(poll, time);
        return host.WhyNotReady is null;
    }

    private static bool AllKnown(IMeshEngine engine)
    {
        foreach (var pool in engine.Snapshot())
        {
            foreach (var backend in pool.Backends)
            {
                if (backend.Endpoints.Any(e => e.Health == EndpointHealth.Unknown)) return false;
            }
        }

        return true;
    }
}
