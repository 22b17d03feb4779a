using Mesh.Core.Config;
using Mesh.Core.Snapshots;
using Mesh.Engine;
using Mesh.Grains.Gateways;
using Mesh.Grains.Snapshots;

namespace Mesh.Grains.Tests;

/// <summary>Three silos and a gateway that is their client.</summary>
public sealed class GrainRouterContractTests : RouterContractTests
{
    private MeshCluster _cluster = null!;
    private GrainEngine _engine = null!;

    protected override async Task<IMeshEngine> StartAsync(MeshConfig config)
    {
        _cluster = await MeshCluster.StartAsync(config);
        return _engine = _cluster.AddGateway();
    }

    protected override async Task StopAsync() => await _cluster.DisposeAsync();

    protected override void Reconfigure(MeshConfig config)
    {
        _cluster.Configuration.Set(config);
        _engine.Reconfigure(config);
    }

    protected override async Task<PoolSnapshot> SnapshotAsync() =>
        SnapshotClock.FromWire(SnapshotJson.ReadPool(await _cluster.Pool(SimulatedEndpoints.PoolId).Snapshot()), TimeProvider.System);
}
