using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.PrefixCache.Exact;
using Microsoft.Extensions.Logging;

namespace Mesh.Engine.Telemetry;

/// <summary>Everything that the engine logs.</summary>
internal static partial class EngineLog
{
    [LoggerMessage(1, LogLevel.Information, "Endpoint {Endpoint} of {Pool} is healthy (was {Before})")]
    public static partial void Healthy(ILogger logger, EndpointId endpoint, PoolId pool, EndpointHealth before);

    [LoggerMessage(2, LogLevel.Information, "Endpoint {Endpoint} of {Pool} is unhealthy (was {Before}): {Reason}")]
    public static partial void Unhealthy(ILogger logger, EndpointId endpoint, PoolId pool, EndpointHealth before, string reason);

    [LoggerMessage(3, LogLevel.Information, "Probe of endpoint {Endpoint} of {Pool}: {Result}")]
    public static partial void Probed(ILogger logger, EndpointId endpoint, PoolId pool, string result);

    [LoggerMessage(4, LogLevel.Information, "Metrics of endpoint {Endpoint} of {Pool} cannot be read and count as unknown: {Reason}")]
    public static partial void ScrapeFails(ILogger logger, EndpointId endpoint, PoolId pool, string reason);

    [LoggerMessage(5, LogLevel.Information, "Metrics of endpoint {Endpoint} of {Pool} are read again")]
    public static partial void ScrapeWorks(ILogger logger, EndpointId endpoint, PoolId pool);

    [LoggerMessage(6, LogLevel.Information, "Models of endpoint {Endpoint} of {Pool} cannot be read: {Reason}")]
    public static partial void ListFails(ILogger logger, EndpointId endpoint, PoolId pool, string reason);

    [LoggerMessage(7, LogLevel.Error, "Looking after endpoint {Endpoint} of {Pool} failed and starts over")]
    public static partial void LoopFailed(ILogger logger, Exception exception, EndpointId endpoint, PoolId pool);

    [LoggerMessage(8, LogLevel.Information, "Configuration {Version}: {Pools} pools, {Endpoints} endpoints, {Added} added, {Removed} removed")]
    public static partial void Reconfigured(ILogger logger, long version, int pools, int endpoints, int added, int removed);

    [LoggerMessage(9, LogLevel.Error, "Keeping the leases of {Pool} failed and goes on")]
    public static partial void KeepingFailed(ILogger logger, Exception exception, PoolId pool);

    [LoggerMessage(10, LogLevel.Information, "What is known of the cache of endpoint {Endpoint} of {Pool} is {State} now")]
    public static partial void CacheKnowledge(ILogger logger, EndpointId endpoint, PoolId pool, CacheKnowledge state);
}
