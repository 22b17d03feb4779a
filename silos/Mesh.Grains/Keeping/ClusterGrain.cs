using Mesh.Grains.Contracts;
using Mesh.Grains.Hosting;
using Mesh.Grains.Placing;
using Orleans.Concurrency;

namespace Mesh.Grains.Keeping;

/// <summary>Keeps one cluster's endpoints looked after: each has its grain running, and again within seconds after a silo died.</summary>
[Reentrant, KeepAlive, SteadyPlacement, GrainType("mesh.cluster")]
internal sealed class ClusterGrain(SiloMesh mesh) : KeeperGrain(mesh), IClusterGrain
{
    private int _endpoints;
    private int _silos;

    public ValueTask<ClusterStatus> Keep() => new(new ClusterStatus(Silo, _endpoints, _silos));

    protected override async Task GoRoundAsync()
    {
        var endpoints = Mesh.Configuration.Current.EndpointsOf(this.GetPrimaryKeyString());
        var answers = await Rounds.GoAsync(endpoints, address => GrainFactory.GetGrain<IEndpointGrain>(address).Keep());
        _endpoints = answers.Count(a => a.Pools > 0);
        _silos = answers.Select(a => a.Silo).Distinct().Count();
    }
}
