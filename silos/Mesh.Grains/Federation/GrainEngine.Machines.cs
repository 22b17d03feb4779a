using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Engine;
using Mesh.Grains.Contracts;
using Mesh.Grains.Keeping;

namespace Mesh.Grains.Gateways;

// Where the grains run, for people: asked for while somebody looks, and never waited for.
public sealed partial class GrainEngine
{
    private static readonly TimeSpan MachinesInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MachinesTimeout = TimeSpan.FromSeconds(2);
    private volatile string[] _regions = [];
    private ImmutableArray<MachineSnapshot> _machines = [];
    private long _machinesAskedAt;
    private int _isAskingMachines;

    /// <inheritdoc/>
    public ImmutableArray<MachineSnapshot> Machines()
    {
        var asked = Interlocked.Read(ref _machinesAskedAt);
        if ((asked == 0 || _services.Time.GetElapsedTime(asked) >= MachinesInterval) && Interlocked.Exchange(ref _isAskingMachines, 1) == 0)
        {
            Interlocked.Exchange(ref _machinesAskedAt, _services.Time.GetTimestamp());
            _ = Task.Run(AskMachinesAsync);
        }

        lock (_decisions) return _machines;
    }

    private static string[] RegionsOf(MeshConfig config) =>
        [.. config.Clusters.Select(c => c.Region).Concat(config.Pools.SelectMany(p => p.Backends).Select(b => b.Region)).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    private async Task AskMachinesAsync()
    {
        try
        {
            var machines = new SortedDictionary<(MachineKind, string), MachineSnapshot>();
            foreach (var region in _regions)
            {
                // By its own id: a client that has not met a silo yet could not look the type up.
                var grain = _services.Grains.GetGrain<IRegionGrain>(GrainId.Create(RegionGrain.TypeName, region));
                var status = await grain.Keep().AsTask().WaitAsync(MachinesTimeout).ConfigureAwait(false);
                machines[(MachineKind.Region, region)] = new MachineSnapshot(MachineKind.Region, region, status.Silo) { Epoch = status.Epoch, Age = status.Age };
                foreach (var pool in status.Pools) machines[(MachineKind.Pool, pool.Name)] = new MachineSnapshot(MachineKind.Pool, pool.Name, pool.Silo) { Epoch = pool.Epoch, Age = pool.Age };
                foreach (var cluster in status.Clusters)
                {
                    machines[(MachineKind.Cluster, cluster.Name)] = new MachineSnapshot(MachineKind.Cluster, cluster.Name, cluster.Silo)
                    {
                        Age = cluster.Age,
                        Endpoints = cluster.Endpoints,
                        ReadyEndpoints = cluster.ReadyEndpoints,
                        SampleAge = cluster.SampleAge,
                        ConfigVersion = cluster.ConfigVersion,
                    };
                }
            }

            ImmutableArray<MachineSnapshot> known = [.. machines.Values];
            lock (_decisions) _machines = known;
        }
        catch (Exception)
        {
            // No silo answers, or a client has not met one yet: what was last known is shown until one does.
        }
        finally
        {
            Interlocked.Exchange(ref _isAskingMachines, 0);
        }
    }
}
