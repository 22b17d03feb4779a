namespace Mesh.Core.Endpoints;

/// <summary>
/// What an endpoint says of its own load beside an answer: a few figures of an <see cref="EndpointSample"/>, newer than the last page. Null
/// means that it was not told; what the last page said of that holds on.
/// </summary>
public readonly record struct EndpointReport
{
    /// <summary>Endpoint that told it.</summary>
    public required EndpointId Endpoint { get; init; }

    /// <summary>When it was told: <see cref="TimeProvider.GetTimestamp"/> of the host's clock.</summary>
    public required long Timestamp { get; init; }

    /// <summary>See <see cref="EndpointSample.KvUtilizationRatio"/>.</summary>
    public double? KvUtilizationRatio { get; init; }

    /// <summary>See <see cref="EndpointSample.RunningRequests"/>.</summary>
    public int? RunningRequests { get; init; }

    /// <summary>See <see cref="EndpointSample.WaitingRequests"/>.</summary>
    public int? WaitingRequests { get; init; }

    /// <summary>See <see cref="EndpointSample.ApplicationUtilizationRatio"/>.</summary>
    public double? ApplicationUtilizationRatio { get; init; }

    /// <summary>See <see cref="EndpointSample.CpuUtilizationRatio"/>.</summary>
    public double? CpuUtilizationRatio { get; init; }

    /// <summary>The page with what is newer here. It ages as before: the figures that the report does not tell must not look younger.</summary>
    internal EndpointSample Over(EndpointSample page) => page with
    {
        KvUtilizationRatio = KvUtilizationRatio ?? page.KvUtilizationRatio,
        RunningRequests = RunningRequests ?? page.RunningRequests,
        WaitingRequests = WaitingRequests ?? page.WaitingRequests,
        ApplicationUtilizationRatio = ApplicationUtilizationRatio ?? page.ApplicationUtilizationRatio,
        CpuUtilizationRatio = CpuUtilizationRatio ?? page.CpuUtilizationRatio,
    };

    /// <summary>The page, which is newer, with what it does not tell.</summary>
    internal EndpointSample Under(EndpointSample page) => page with
    {
        KvUtilizationRatio = page.KvUtilizationRatio ?? KvUtilizationRatio,
        RunningRequests = page.RunningRequests ?? RunningRequests,
        WaitingRequests = page.WaitingRequests ?? WaitingRequests,
        ApplicationUtilizationRatio = page.ApplicationUtilizationRatio ?? ApplicationUtilizationRatio,
        CpuUtilizationRatio = page.CpuUtilizationRatio ?? CpuUtilizationRatio,
    };

    /// <summary>A sample of the report alone, where no page counts any more; what an old one said of the engine itself, and not of its load, stays.</summary>
    internal EndpointSample Alone(EndpointSample? old) => Over((old ?? new EndpointSample { Endpoint = Endpoint, Timestamp = Timestamp }) with
    {
        Timestamp = Timestamp,
        MaxAge = null,
        KvUtilizationRatio = null,
        RunningRequests = null,
        WaitingRequests = null,
        ApplicationUtilizationRatio = null,
        CpuUtilizationRatio = null,
        RunningAdapters = [],
        WaitingAdapters = [],
        NamedMetrics = System.Collections.Immutable.ImmutableSortedDictionary<string, double>.Empty,
    });
}
