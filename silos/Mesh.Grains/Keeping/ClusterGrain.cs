using Mesh.Grains.Contracts;
using Mesh.Grains.Hosting;
using Mesh.Grains.Placing;
using Orleans.Concurrency;

namespace Mesh.Grains.Keeping;

/// <summary>
/// Keeps one cluster's endpoints looked after: each has its grain running, and again within seconds after a silo died. Knows how they are, and which
/// configuration goes out from the cluster where it is the config cluster.
/// </summary>
[Reentrant, KeepAlive, SteadyPlacement, GrainType("mesh.cluster")]
internal sealed class ClusterGrain(SiloMesh mesh) : KeeperGrain(mesh), IClusterGrain
{
    private ClusterStatus _status;

    public ValueTask<ClusterStatus> Keep()
    {
        var name = this.GetPrimaryKeyString();
        var config = Mesh.Configuration.Config;
        var publishes = config.Clusters.Any(c => c.IsConfigCluster && c.Name == name);
        var tag = Mesh.Federation?.Configuration?.Tag;
        return new ValueTask<ClusterStatus>(_status with
        {
            Silo = Silo,
            Name = name,
            Age = Age,
            ConfigVersion = !publishes ? 0 : tag is { IsNone: false } ? tag.Version : config.Version,
            ConfigHash = publishes && tag is { IsNone: false } ? tag.Hash : "",
        });
    }

    protected override async Task GoRoundAsync()
    {
        var endpoints = Mesh.Configuration.Current.EndpointsOf(this.GetPrimaryKeyString());
        var answers = (await Rounds.GoAsync(endpoints, address => GrainFactory.GetGrain<IEndpointGrain>(address).Keep())).Where(a => a.Pools > 0).ToArray();
        _status = new ClusterStatus(Silo, answers.Length, answers.Select(a => a.Silo).Distinct().Count())
        {
            ReadyEndpoints = answers.Count(a => a.IsReady),
            SampleAge = answers.Max(a => a.SampleAge),
        };
    }
}
