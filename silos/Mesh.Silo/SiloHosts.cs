using Mesh.Core.Sharding;
using Mesh.Engine;
using Mesh.Gateway.Hosting;
using Mesh.Gateway.Keys;
using Mesh.Grains.Federation;
using Mesh.Grains.Hosting;
using Orleans.Dashboard;

namespace Mesh.Silo;

/// <summary>Makes the part of the process that knows Orleans: a silo, or a client of silos.</summary>
internal static class SiloHosts
{
    /// <summary>A silo with the mesh's grains, and its administrative listener where one is asked for.</summary>
    public static IHost Silo(
        SiloOptions options, KeyOptions keys, EngineOptions engine, ulong seed, SiloConfiguration configuration, GrainFederation? federation, TimeProvider time, ILoggerFactory loggers)
    {
        var grains = new GrainOptions
        {
            Engine = engine,
            Seed = seed,
            Sharding = new ShardingOptions { Shards = options.Shards, MostShards = Math.Max(options.Shards, options.MaxShards) },
        };
        if (options.Admin is null)
        {
            var plain = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
            Common(plain, options, loggers);
            plain.UseOrleans(silo => AddSilo(silo, options, grains, configuration, federation));
            return plain.Build();
        }

        var address = AdminPages.Address(options, keys);
        var web = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "Mesh.Silo" });
        web.WebHost.UseKestrelCore().ConfigureKestrel(server => server.Listen(address));
        web.Services.AddRoutingCore();
        // The container ends it with the host.
        web.Services.AddSingleton(_ => new AdminKeys(keys, address, time, loggers));
        Common(web, options, loggers);
        web.UseOrleans(silo =>
        {
            AddSilo(silo, options, grains, configuration, federation);
            silo.AddDashboard(dashboard => dashboard.HideTrace = true);
        });
        var app = web.Build();
        // First of all: what keys say can stop the start.
        var gate = app.Services.GetRequiredService<AdminKeys>();
        app.Use(next => context => gate.HandleAsync(context, next));
        app.UseRouting();
        AdminPages.Map(app);
        return app;
    }

    /// <summary>A client of the silos.</summary>
    public static IHost Client(SiloOptions options, ILoggerFactory loggers)
    {
        var plain = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        Common(plain, options, loggers);
        plain.UseOrleansClient(client => Clustering.Add(client, options));
        return plain.Build();
    }

    private static void AddSilo(ISiloBuilder silo, SiloOptions options, GrainOptions grains, SiloConfiguration configuration, GrainFederation? federation)
    {
        Clustering.Add(silo, options);
        silo.AddMeshGrains(grains, configuration, federation);
    }

    private static void Common(IHostApplicationBuilder builder, SiloOptions options, ILoggerFactory loggers)
    {
        builder.Services.AddSingleton(loggers);
        builder.Services.AddSingleton<IHostLifetime, QuietLifetime>();
        // Before the process gives up on it.
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = options.StopTimeout * 2 / 3);
    }
}
