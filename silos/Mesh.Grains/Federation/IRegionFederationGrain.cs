using Mesh.Core.Config;
using Orleans.Concurrency;

namespace Mesh.Grains.Federation;

/// <summary>
/// The part of a region's grain that stands for the region among its peers: it follows every peer once, whatever the number of gateways, and the
/// gateways pass on to peers what it reports.
/// </summary>
[Alias("mesh.region-federation")]
internal interface IRegionFederationGrain : IGrainWithStringKey
{
    /// <summary>How the links to the peers are, and which configuration the region goes by.</summary>
    [Alias("news"), ResponseTimeout("00:00:01")]
    ValueTask<RegionNews> News();

    /// <summary>A pool has changed so much that peers should hear of it before the next report is due.</summary>
    [Alias("sooner"), OneWay]
    ValueTask Sooner(PoolId pool);

    /// <summary>The next events for a peer whose stream a gateway relays; empty when none came for a while. The first call of a stream begins it.</summary>
    [Alias("read-reports"), ResponseTimeout("00:00:02")]
    ValueTask<ReportPage> ReadReports(ReportCall call);

    /// <summary>Contents of the configuration that the region goes by; null for none.</summary>
    [Alias("configuration"), ResponseTimeout("00:00:05")]
    ValueTask<byte[]?> Configuration();
}
