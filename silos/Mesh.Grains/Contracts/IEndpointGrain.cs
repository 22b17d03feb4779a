using Mesh.Core.Config;
using Orleans.Concurrency;

namespace Mesh.Grains.Contracts;

/// <summary>One endpoint, by <c>ip:port</c>: probes it, scrapes it and reads its list of models, once for all silos and gateways.</summary>
[Alias("mesh.endpoint")]
internal interface IEndpointGrain : IGrainWithStringKey
{
    /// <summary>Keeps it running.</summary>
    [Alias("keep"), ResponseTimeout("00:00:02")]
    ValueTask<EndpointStatus> Keep();

    /// <summary>All that is known of it now, for a pool that knows nothing yet; null when it does not belong to that pool.</summary>
    [Alias("tell"), ResponseTimeout("00:00:02")]
    ValueTask<EndpointNews?> Tell(PoolId pool);

    /// <summary>A request has been sent there, and it rested.</summary>
    [Alias("placed"), OneWay]
    ValueTask Placed(PoolId pool);

    /// <summary>A request has failed to reach it.</summary>
    [Alias("suspect"), OneWay]
    ValueTask Suspect(PoolId pool);
}
