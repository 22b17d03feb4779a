using System.Collections.Immutable;
using Mesh.Core.Endpoints;

namespace Mesh.Grains.Surrogates;

/// <summary><see cref="EndpointSample"/> on the wire. Its time is the sender's and means nothing to the receiver, who is told its age besides.</summary>
[GenerateSerializer, Immutable, Alias("mesh.endpoint-sample")]
internal struct EndpointSampleSurrogate
{
    [Id(0)] public EndpointId Endpoint;
    [Id(1)] public long Timestamp;
    [Id(2)] public double? KvUtilizationRatio;
    [Id(3)] public int? RunningRequests;
    [Id(4)] public int? WaitingRequests;
    [Id(5)] public double? ApplicationUtilizationRatio;
    [Id(6)] public double? CpuUtilizationRatio;
    [Id(7)] public long? KvCapacityTokens;
    [Id(8)] public TimeSpan? MaxAge;
    [Id(9)] public double? EngineStarted;
    [Id(10)] public bool IsAsleep;
    [Id(11)] public int? MaxLoras;
    [Id(12)] public ImmutableArray<string> RunningAdapters;
    [Id(13)] public ImmutableArray<string> WaitingAdapters;
    [Id(14)] public double? MeanPrefillSecondsPerToken;
    [Id(15)] public double? MeanPromptTokens;
    [Id(16)] public long PrefillObservations;
    [Id(17)] public double? MeanInterTokenSeconds;
    [Id(18)] public long InterTokenObservations;
    [Id(19)] public double? PrefixCacheQueriedTokens;
    [Id(20)] public double? PrefixCacheHitTokens;
    [Id(21)] public ImmutableSortedDictionary<string, double> NamedMetrics;
}

[RegisterConverter]
internal sealed class EndpointSampleConverter : IConverter<EndpointSample, EndpointSampleSurrogate>
{
    public EndpointSample ConvertFromSurrogate(in EndpointSampleSurrogate surrogate) => new()
    {
        Endpoint = surrogate.Endpoint,
        Timestamp = surrogate.Timestamp,
        KvUtilizationRatio = surrogate.KvUtilizationRatio,
        RunningRequests = surrogate.RunningRequests,
        WaitingRequests = surrogate.WaitingRequests,
        ApplicationUtilizationRatio = surrogate.ApplicationUtilizationRatio,
        CpuUtilizationRatio = surrogate.CpuUtilizationRatio,
        KvCapacityTokens = surrogate.KvCapacityTokens,
        MaxAge = surrogate.MaxAge,
        EngineStarted = surrogate.EngineStarted,
        IsAsleep = surrogate.IsAsleep,
        MaxLoras = surrogate.MaxLoras,
        RunningAdapters = surrogate.RunningAdapters.IsDefault ? [] : surrogate.RunningAdapters,
        WaitingAdapters = surrogate.WaitingAdapters.IsDefault ? [] : surrogate.WaitingAdapters,
        MeanPrefillSecondsPerToken = surrogate.MeanPrefillSecondsPerToken,
        MeanPromptTokens = surrogate.MeanPromptTokens,
        PrefillObservations = surrogate.PrefillObservations,
        MeanInterTokenSeconds = surrogate.MeanInterTokenSeconds,
        InterTokenObservations = surrogate.InterTokenObservations,
        PrefixCacheQueriedTokens = surrogate.PrefixCacheQueriedTokens,
        PrefixCacheHitTokens = surrogate.PrefixCacheHitTokens,
        NamedMetrics = surrogate.NamedMetrics ?? ImmutableSortedDictionary<string, double>.Empty,
    };

    public EndpointSampleSurrogate ConvertToSurrogate(in EndpointSample value) => new()
    {
        Endpoint = value.Endpoint,
        Timestamp = value.Timestamp,
        KvUtilizationRatio = value.KvUtilizationRatio,
        RunningRequests = value.RunningRequests,
        WaitingRequests = value.WaitingRequests,
        ApplicationUtilizationRatio = value.ApplicationUtilizationRatio,
        CpuUtilizationRatio = value.CpuUtilizationRatio,
        KvCapacityTokens = value.KvCapacityTokens,
        MaxAge = value.MaxAge,
        EngineStarted = value.EngineStarted,
        IsAsleep = value.IsAsleep,
        MaxLoras = value.MaxLoras,
        RunningAdapters = value.RunningAdapters,
        WaitingAdapters = value.WaitingAdapters,
        MeanPrefillSecondsPerToken = value.MeanPrefillSecondsPerToken,
        MeanPromptTokens = value.MeanPromptTokens,
        PrefillObservations = value.PrefillObservations,
        MeanInterTokenSeconds = value.MeanInterTokenSeconds,
        InterTokenObservations = value.InterTokenObservations,
        PrefixCacheQueriedTokens = value.PrefixCacheQueriedTokens,
        PrefixCacheHitTokens = value.PrefixCacheHitTokens,
        NamedMetrics = value.NamedMetrics,
    };
}
