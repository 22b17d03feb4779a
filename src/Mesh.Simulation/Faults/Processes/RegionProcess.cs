using Mesh.Core.Config;
using Mesh.Core.Endpoints;

namespace Mesh.Simulation.Faults.Processes;

/// <summary>What runs in one region: its engine and its gateways, with the configuration as it has arrived there.</summary>
internal sealed class RegionProcess(FaultWorld world, int number)
{
    private readonly long[] _gatewayEpochs = new long[world.Plan.GatewaysPerRegion];
    private long _poolEpoch;
    private long _version;
    private PoolConfig? _config;

    public int Number => number;

    /// <summary>The engine; null while it is away.</summary>
    public PoolRun? Pool { get; private set; }

    /// <summary>Gateways by their number in the region; null while one is away.</summary>
    public GatewayRun?[] Gateways { get; } = new GatewayRun?[world.Plan.GatewaysPerRegion];

    /// <summary>True when the region's configuration names the endpoint.</summary>
    public bool Has(EndpointId endpoint) => _config!.Backends.Any(b => b.Endpoints.Any(e => e.Id == endpoint));

    public void Note(string what) => world.Journal.Note(what);

    public void Start(PoolConfig config)
    {
        _config = config;
        StartPool();
        for (var i = 0; i < Gateways.Length; i++) StartGateway(i);
    }

    public void StartPool()
    {
        if (Pool is not null) return;
        Pool = new PoolRun(world, number, ++_poolEpoch, _config!);
        Pool.Start();
    }

    public void CrashPool()
    {
        if (Pool is not { } pool) return;
        Pool = null;
        pool.Crash();
        foreach (var gateway in Gateways)
        {
            if (gateway is not null) world.Time.After(1, gateway.OnPoolLost);
        }
    }

    public void StartGateway(int index)
    {
        if (Gateways[index] is not null) return;
        var gateway = Gateways[index] = new GatewayRun(world, this, (number * Gateways.Length) + index, ++_gatewayEpochs[index]);
        gateway.Start();
    }

    public void CrashGateway(int index)
    {
        if (Gateways[index] is not { } gateway) return;
        Gateways[index] = null;
        gateway.Crash();
    }

    /// <summary>A configuration arrives; one that was overtaken is let go.</summary>
    public void Reconfigure(long version, PoolConfig config)
    {
        if (version <= _version) return;
        (_version, _config) = (version, config);
        // The two hear of it one after the other, in either order.
        if (world.Random.NextInt32(2) == 0) Pool?.Reconfigure(config);
        foreach (var gateway in Gateways) gateway?.OnReconfigured();
        if (Pool is { } pool && !ReferenceEquals(pool.Config, config)) pool.Reconfigure(config);
    }
}
