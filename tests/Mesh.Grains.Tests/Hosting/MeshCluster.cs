using Mesh.Core.Config;
using Mesh.Engine;
using Mesh.Grains.Contracts;
using Mesh.Grains.Federation;
using Mesh.Grains.Gateways;
using Mesh.Grains.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Orleans.Configuration;
using Orleans.TestingHost;

namespace Mesh.Grains.Tests;

/// <summary>Silos in this process with the mesh's grains, and gateways as clients of theirs.</summary>
internal sealed class MeshCluster : IAsyncDisposable
{
    private readonly List<GrainEngine> _gateways = [];
    private int _lastGateway;

    private MeshCluster(InProcessTestCluster cluster, SiloConfiguration configuration, TimeProvider time, EngineOptions engine)
    {
        Cluster = cluster;
        Configuration = configuration;
        Time = time;
        Engine = engine;
    }

    public InProcessTestCluster Cluster { get; }

    public SiloConfiguration Configuration { get; }

    public TimeProvider Time { get; }

    public EngineOptions Engine { get; }

    public IGrainFactory Grains => Cluster.Client;

    public static async Task<MeshCluster> StartAsync(
        MeshConfig config, short silos = 3, Func<GrainOptions, GrainOptions>? adjust = null, TimeProvider? time = null, EngineOptions? engine = null,
        GrainFederation? federation = null, IOutgoingGrainCallFilter? network = null)
    {
        var configuration = new SiloConfiguration();
        configuration.Set(config);
        var clock = time ?? TimeProvider.System;
        var engineOptions = engine ?? new EngineOptions();
        var options = new GrainOptions { Engine = engineOptions, KeepInterval = TimeSpan.FromMilliseconds(300) };
        options = adjust?.Invoke(options) ?? options;
        var builder = new InProcessTestClusterBuilder(silos);
        builder.ConfigureSilo((_, silo) =>
        {
            silo.Services.AddSingleton(new MeshClock(clock));
            silo.AddMeshGrains(options, configuration, federation);
            silo.Configure<ClusterMembershipOptions>(o =>
            {
                o.ProbeTimeout = TimeSpan.FromSeconds(1);
                o.NumMissedProbesLimit = 2;
                o.NumVotesForDeathDeclaration = 1;
            });
        });
        builder.ConfigureClient(client =>
        {
            client.Configure<GatewayOptions>(o => o.GatewayListRefreshPeriod = TimeSpan.FromMilliseconds(500));
            if (network is not null) client.AddOutgoingGrainCallFilter(network);
        });
        var cluster = builder.Build();
        await cluster.DeployAsync();
        return new MeshCluster(cluster, configuration, clock, engineOptions);
    }

    /// <summary>A gateway more, with the silos' configuration.</summary>
    public GrainEngine AddGateway(Func<GrainEngineOptions, GrainEngineOptions>? adjust = null)
    {
        var options = new GrainEngineOptions { GatewayId = $"gateway-{++_lastGateway}", Pool = Engine.Pool };
        var gateway = new GrainEngine(adjust?.Invoke(options) ?? options, Grains, Time, NullLoggerFactory.Instance);
        gateway.Reconfigure(Configuration.Config);
        _gateways.Add(gateway);
        return gateway;
    }

    public IPoolGrain Pool(PoolId id) => Grains.GetGrain<IPoolGrain>(id.ToString());

    /// <summary>The silo that a pool runs on.</summary>
    public async Task<InProcessSiloHandle> SiloOfAsync(PoolId id)
    {
        var silo = (await Pool(id).Keep()).Silo;
        return Cluster.Silos.First(s => s.SiloAddress.ToParsableString() == silo);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var gateway in _gateways) await gateway.DisposeAsync();
        await Cluster.StopAllSilosAsync();
        await Cluster.DisposeAsync();
    }
}
