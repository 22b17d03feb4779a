using Mesh.Core.Config;
using Mesh.Core.Snapshots;
using Mesh.Engine;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.Grains.Tests;

/// <summary>The engine in this process.</summary>
public sealed class EmbeddedRouterContractTests : RouterContractTests
{
    private EmbeddedEngine _engine = null!;

    protected override Task<IMeshEngine> StartAsync(MeshConfig config)
    {
        _engine = new EmbeddedEngine(new EngineOptions(), TimeProvider.System, NullLoggerFactory.Instance, seed: 1);
        return Task.FromResult<IMeshEngine>(_engine);
    }

    protected override async Task StopAsync() => await _engine.DisposeAsync();

    protected override void Reconfigure(MeshConfig config) => _engine.Reconfigure(config);

    protected override Task<PoolSnapshot> SnapshotAsync() => Task.FromResult(_engine.Snapshot()[0]);
}
