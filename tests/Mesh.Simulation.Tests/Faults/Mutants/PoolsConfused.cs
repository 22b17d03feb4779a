using Mesh.Core.Leases;
using Mesh.Core.Routing;
using Mesh.Simulation.Faults.Pools;

namespace Mesh.Simulation.Tests.Faults.Mutants;

/// <summary>A completion in twenty reaches the pool that was made before, whose leases have numbers of their own.</summary>
internal sealed class PoolsConfused(ICorePool core, ICorePool? other) : BrokenCore(core)
{
    private readonly ICorePool _core = core;
    private int _ends;

    /// <summary>Breaks cores, of which each knows the one before.</summary>
    public static Func<ICorePool, ICorePool> Maker()
    {
        ICorePool? before = null;
        return core =>
        {
            var confused = new PoolsConfused(core, before);
            before = core;
            return confused;
        };
    }

    public override bool Complete(LeaseId lease, in RequestOutcome outcome) => (other is not null && ++_ends % 20 == 0 ? other : _core).Complete(lease, in outcome);
}
