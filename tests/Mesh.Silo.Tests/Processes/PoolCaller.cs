using Mesh.Grains.Contracts;
using Mesh.Grains.Pools;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.Silo.Tests;

/// <summary>Asks the pool of a <see cref="ProcessRegion"/> itself how it is: what the region knows of it may be a second old.</summary>
internal sealed class PoolCaller : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(250);
    private readonly IHost _client;
    private readonly IPoolGrain _pool;

    private PoolCaller(IHost client)
    {
        _client = client;
        _pool = client.Services.GetRequiredService<IGrainFactory>().GetGrain<IPoolGrain>(GrainId.Create(PoolKey.GrainType, "default/llama"));
    }

    public static async Task<PoolCaller> ConnectAsync(string redis)
    {
        var client = SiloHosts.Client(new SiloOptions { Role = SiloRole.Gateway, Redis = redis }, NullLoggerFactory.Instance);
        await client.StartAsync();
        return new PoolCaller(client);
    }

    /// <summary>How the pool is; null while it does not answer.</summary>
    public async Task<PoolStatus?> StatusAsync()
    {
        try
        {
            return await _pool.Keep().AsTask().WaitAsync(Patience);
        }
        catch (Exception e) when (e is OrleansException or TimeoutException or InvalidOperationException)
        {
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _client.StopAsync();
        _client.Dispose();
    }
}
