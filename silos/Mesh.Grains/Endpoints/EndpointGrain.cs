using Mesh.Core.Config;
using Mesh.Engine.Monitoring;
using Mesh.Grains.Contracts;
using Mesh.Grains.Hosting;
using Mesh.Grains.Placing;
using Mesh.Grains.Pools;
using Orleans.Concurrency;
using Orleans.Runtime.Placement;

namespace Mesh.Grains.Endpoints;

/// <summary>
/// Looks after one endpoint: one monitor for each pool that names it, whatever the number of gateways and silos. Kept running by its cluster's
/// grain; moves when the silo that its name belongs to comes back.
/// </summary>
[Reentrant, KeepAlive, SteadyPlacement, GrainType("mesh.endpoint")]
internal sealed class EndpointGrain(SiloMesh mesh, IClusterMembershipService membership) : Grain, IEndpointGrain
{
    // A silo that has just joined may not be known to everybody yet.
    private const int KeepsBeforeMove = 2;
    private readonly SortedDictionary<PoolId, EndpointWatch> _watches = [];
    private ConfigurationIndex? _seen;
    private string _address = "";
    private string _silo = "";
    private int _misplaced;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _address = this.GetPrimaryKeyString();
        _silo = this.GetLocalSilo().ToParsableString();
        TakeConfiguration();
        return Task.CompletedTask;
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        foreach (var watch in _watches.Values) watch.Stop();
        _watches.Clear();
        return Task.CompletedTask;
    }

    public ValueTask<EndpointStatus> Keep()
    {
        TakeConfiguration();
        if (_watches.Count == 0) DeactivateOnIdle();
        else MoveWhereItBelongs();
        return new ValueTask<EndpointStatus>(new EndpointStatus(_silo, _watches.Count)
        {
            IsReady = _watches.Count > 0 && _watches.Values.All(w => w.IsHealthy),
            SampleAge = _watches.Values.Min(w => w.SampleAge),
        });
    }

    public ValueTask<EndpointNews?> Tell(PoolId pool)
    {
        TakeConfiguration();
        return new ValueTask<EndpointNews?>(_watches.TryGetValue(pool, out var watch) ? watch.Everything() : null);
    }

    public ValueTask Placed(PoolId pool)
    {
        if (_watches.TryGetValue(pool, out var watch)) watch.Monitor.Placed();
        return default;
    }

    public ValueTask Suspect(PoolId pool)
    {
        if (_watches.TryGetValue(pool, out var watch)) watch.Monitor.Suspect();
        return default;
    }

    private void TakeConfiguration()
    {
        var current = mesh.Configuration.Current;
        if (ReferenceEquals(current, _seen)) return;
        _seen = current;
        var wanted = current.PoolsOf(_address);
        // The watches use it outside of the grain's turns, where the grain's own must not be asked for.
        var grains = GrainFactory;
        foreach (var (pool, endpoint) in wanted)
        {
            var target = new MonitorTarget(pool.Id, endpoint, pool.HealthCheck);
            if (_watches.TryGetValue(pool.Id, out var watch)) watch.Update(target);
            else _watches.Add(pool.Id, EndpointWatch.Start(target, mesh, shard => grains.GetGrain<IPoolGrain>(PoolKey.Of(pool.Id, shard))));
        }

        foreach (var gone in _watches.Keys.Where(id => !wanted.Any(w => w.Pool.Id == id)).ToArray())
        {
            _watches.Remove(gone, out var watch);
            watch!.Stop();
        }
    }

    private void MoveWhereItBelongs()
    {
        var active = membership.CurrentSnapshot.Members.Values.Where(m => m.Status == SiloStatus.Active).Select(m => m.SiloAddress).ToArray();
        var belongs = active.Length == 0 ? this.GetLocalSilo() : Rendezvous.Choose(this.GetGrainId().ToString(), active);
        _misplaced = belongs.Equals(this.GetLocalSilo()) ? 0 : _misplaced + 1;
        if (_misplaced <= KeepsBeforeMove) return;
        // Named, because those who remember where it was would only bring it back to life here.
        RequestContext.Set(IPlacementDirector.PlacementHintKey, belongs);
        MigrateOnIdle();
    }
}
