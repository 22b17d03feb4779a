using Mesh.Core.Config;
using Mesh.Core.Endpoints;

namespace Mesh.Simulation.Faults.Processes;

/// <summary>What runs in one region: its engine and its gateways, with the configuration as it has arrived there.</summary>
internal sealed class RegionProcess(FaultWorld world, int number)
{
    private readonly long[] _gatewayEpochs = new long[world.Plan.GatewaysPerRegion];
    private long _poolEpoch;
    private long _version;
    private PoolConfig[] _configs = [];

    public int Number => number;

    /// <summary>The engine's pools by number; null while it is away.</summary>
    public PoolRun?[] Pools { get; } = new PoolRun?[world.Plan.PoolWeights.Count];

    /// <summary>Gateways by their number in the region; null while one is away.</summary>
    public GatewayRun?[] Gateways { get; } = new GatewayRun?[world.Plan.GatewaysPerRegion];

    /// <summary>True when the region's configuration names the endpoint.</summary>
    public bool Has(EndpointId endpoint) => Array.Exists(_configs, c => c.Backends.Any(b => b.Endpoints.Any(e => e.Id == endpoint)));

    public void Note(string what) => world.Journal.Note(what);

    public void Start(PoolConfig[] configs)
    {
        _configs = configs;
        StartEngine();
        for (var i = 0; i < Gateways.Length; i++) StartGateway(i);
    }

    public void StartEngine()
    {
        if (Pools[0] is not null) return;
        _poolEpoch++;
        for (var pool = 0; pool < Pools.Length; pool++) Pools[pool] = new PoolRun(world, number, pool, _poolEpoch, _configs[pool]);
        foreach (var pool in Pools) pool!.Start();
    }

    public void CrashEngine()
    {
        if (Pools[0] is null) return;
        foreach (var pool in Pools) pool!.Crash();
        Array.Clear(Pools);
        foreach (var gateway in Gateways)
        {
            if (gateway is not null) world.Time.After(1, gateway.OnEngineLost);
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
    public void Reconfigure(long version, PoolConfig[] configs)
    {
        if (version <= _version) return;
        (_version, _configs) = (version, configs);
        // The two hear of it one after the other, in either order.
        var engineFirst = world.Random.NextInt32(2) == 0;
        if (engineFirst) ReconfigureEngine();
        foreach (var gateway in Gateways) gateway?.OnReconfigured();
        if (!engineFirst) ReconfigureEngine();
    }

    private void ReconfigureEngine()
    {
        for (var pool = 0; pool < Pools.Length; pool++) Pools[pool]?.Reconfigure(_configs[pool]);
    }
}
