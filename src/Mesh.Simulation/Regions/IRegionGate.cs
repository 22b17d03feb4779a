using Mesh.Core.Regions.Reports;
using Mesh.Core.Routing;

namespace Mesh.Simulation.Regions;

/// <summary>
/// What the world asks of a region's pool and of its gateway's conduct between regions. The production core answers as it does; broken variants answer wrongly in
/// one point each, to show that the judge would see it.
/// </summary>
internal interface IRegionGate
{
    /// <summary>Asks the pool.</summary>
    RouteDecision Route(PoolState pool, in RouteRequest request) => pool.Route(in request);

    /// <summary>Makes the report to a peer.</summary>
    PoolReport Report(PoolState pool, string receiver) => pool.BuildReport(receiver);

    /// <summary>Takes a peer's report.</summary>
    void Apply(PoolState pool, RegionReport report) => pool.ApplyPeer(report, report.Pools[0]);

    /// <summary>Gives a lease back.</summary>
    void Complete(PoolState pool, Mesh.Core.Leases.LeaseId lease, in RequestOutcome outcome) => pool.Complete(lease, in outcome);

    /// <summary>True when a region that refused a request is not asked again.</summary>
    bool ExcludesRefusals => true;

    /// <summary>True when what comes back from an earlier placement is passed over.</summary>
    bool KnowsAttempts => true;
}

/// <summary>The production core.</summary>
internal sealed class CoreGate : IRegionGate;
