using Mesh.Core.Endpoints;
using Mesh.Core.PrefixCache.Exact;
using Mesh.Core.Snapshots;
using Mesh.Gateway.Admin.Shapes;

namespace Mesh.Gateway.Admin.Views;

/// <summary>Endpoints in the API's shape.</summary>
internal sealed class EndpointView(TimeProvider time)
{
    /// <summary>An endpoint.</summary>
    /// <param name="pool">Its pool.</param>
    /// <param name="backend">Its backend.</param>
    /// <param name="endpoint">The endpoint.</param>
    /// <param name="now">Time of the reading.</param>
    public EndpointShape Of(PoolSnapshot pool, BackendSnapshot backend, EndpointSnapshot endpoint, long now)
    {
        var sample = endpoint.LastSample;
        var ejectedFor = EjectedFor(endpoint, now);
        return new EndpointShape
        {
            Address = endpoint.Id.Address,
            Pod = endpoint.PodName,
            Pool = pool.Id.ToString(),
            Backend = backend.Id.ToString(),
            Cluster = backend.Id.Cluster,
            Region = backend.Region,
            Zone = backend.Id.Zone,
            State = StateOf(endpoint, ejectedFor is not null),
            Health = WordOf(endpoint.Health),
            InFlightRequests = endpoint.InFlightRequests,
            InFlightTokens = endpoint.InFlightTokens,
            WaitingRequests = endpoint.WaitingRequests,
            PredictedWaitMs = Rounded.To3(endpoint.PredictedWaitMs),
            TotalRequests = endpoint.TotalRequests,
            KvUtilizationRatio = Rounded.To3(sample?.KvUtilizationRatio),
            EngineRunningRequests = sample?.RunningRequests,
            EngineWaitingRequests = sample?.WaitingRequests,
            PrefixHitRatio = HitRatioOf(sample),
            KvCapacityTokens = sample?.KvCapacityTokens,
            Models = endpoint.Models.IsDefault ? null : endpoint.Models,
            RunningAdapters = sample is { RunningAdapters.IsDefaultOrEmpty: false } ? sample.RunningAdapters : null,
            WaitingAdapters = sample is { WaitingAdapters.IsDefaultOrEmpty: false } ? sample.WaitingAdapters : null,
            MaxLoras = sample?.MaxLoras,
            SampleAgeSeconds = Rounded.To3(endpoint.SampleAge?.TotalSeconds),
            Ejections = endpoint.Ejections,
            EjectedForSeconds = Rounded.To3(ejectedFor?.TotalSeconds),
            FailureLoadRequests = endpoint.FailureLoadRequests > 0 ? Rounded.To3(endpoint.FailureLoadRequests) : null,
            CacheKnowledge = WordOf(endpoint.CacheKnowledge),
            CachedBlocks = endpoint.CachedBlocks,
            PrefillSpeedRatio = Rounded.To3(endpoint.PrefillSpeedRatio),
            DecodeSpeedRatio = Rounded.To3(endpoint.DecodeSpeedRatio),
            NamedMetrics = sample is { NamedMetrics.IsEmpty: false } ? sample.NamedMetrics.ToDictionary(m => m.Key, m => Rounded.Or0(m.Value)) : null,
        };
    }

    /// <summary>What counts for new requests, the gravest first.</summary>
    public static string StateOf(EndpointSnapshot endpoint, bool ejected)
    {
        if (endpoint.Draining) return "draining";
        if (endpoint.Drained) return "drained";
        if (endpoint.LastSample is { IsAsleep: true }) return "asleep";
        if (endpoint.Health != EndpointHealth.Healthy) return WordOf(endpoint.Health);
        return ejected ? "ejected" : "ready";
    }

    /// <summary>For how long it is still left alone; null while it is not.</summary>
    public TimeSpan? EjectedFor(EndpointSnapshot endpoint, long now) => endpoint.EjectedUntil is { } until && until > now ? time.GetElapsedTime(now, until) : null;

    /// <summary>Share of prompt tokens found in the prefix cache; null while unknown.</summary>
    public static double? HitRatioOf(EndpointSample? sample) =>
        sample is { PrefixCacheQueriedTokens: { } asked and > 0, PrefixCacheHitTokens: { } found } ? Rounded.To3(found / asked) : null;

    /// <summary>Where what is known of a cache comes from.</summary>
    public static string WordOf(CacheKnowledge knowledge) => knowledge switch
    {
        CacheKnowledge.Exact => "exact",
        CacheKnowledge.Degraded => "degraded",
        _ => "history",
    };

    /// <summary>What the prober says.</summary>
    public static string WordOf(EndpointHealth health) => health switch
    {
        EndpointHealth.Healthy => "healthy",
        EndpointHealth.Unhealthy => "unhealthy",
        _ => "unknown",
    };
}
