using System.Runtime.InteropServices;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Leases;
using Mesh.Core.Routing;

namespace Mesh.Grains.Contracts;

/// <summary>One request to place.</summary>
[GenerateSerializer, Immutable, Alias("mesh.route-call")]
internal sealed record RouteCall
{
    /// <summary>Epoch of the activation that is asked.</summary>
    [Id(0)] public long Epoch { get; init; }

    /// <summary>Number that the activation gave the gateway's session.</summary>
    [Id(1)] public int Session { get; init; }

    /// <summary>The gateway's number of this call: the same however often it is asked.</summary>
    [Id(2)] public long Number { get; init; }

    /// <summary>Calls of the gateway below this number have been answered or given up: what is remembered of them can go.</summary>
    [Id(3)] public long Settled { get; init; }

    /// <summary>See <see cref="RouteRequest.RequestId"/>.</summary>
    [Id(4)] public string RequestId { get; init; } = "";

    [Id(5)] public string? Model { get; init; }

    [Id(6)] public int Priority { get; init; }

    [Id(7)] public string FairnessId { get; init; } = "";

    [Id(8)] public int PromptTokens { get; init; }

    [Id(9)] public int MaxOutputTokens { get; init; }

    [Id(10)] public bool IsStreaming { get; init; }

    [Id(11)] public ulong[]? PrefixChain { get; init; }

    [Id(12)] public int BodyBytes { get; init; }

    [Id(13)] public ulong AffinityKey { get; init; }

    [Id(14)] public string? AffinityEndpoint { get; init; }

    [Id(15)] public bool Explain { get; init; }

    /// <summary>Null means all.</summary>
    [Id(16)] public string[]? Subset { get; init; }

    /// <summary>Null means none.</summary>
    [Id(17)] public string[]? Excluded { get; init; }

    /// <summary>Null means none.</summary>
    [Id(40)] public string[]? ExcludedRegions { get; init; }

    /// <summary>Null for a client's own.</summary>
    [Id(41)] public string? OriginRegion { get; init; }

    [Id(42)] public long OriginEpoch { get; init; }

    [Id(43)] public int OriginReason { get; init; }

    [Id(44)] public int Hops { get; init; }

    [Id(45)] public bool IsTentative { get; init; }

    /// <summary>The call for a request. What the request only lends, its hashes, is copied.</summary>
    public static RouteCall From(in RouteRequest request, long number) => new()
    {
        Number = number,
        RequestId = request.RequestId,
        Model = request.Model,
        Priority = request.Priority,
        FairnessId = request.FairnessId ?? "",
        PromptTokens = request.PromptTokens,
        MaxOutputTokens = request.MaxOutputTokens,
        IsStreaming = request.IsStreaming,
        PrefixChain = request.PrefixChain.IsEmpty ? null : request.PrefixChain.ToArray(),
        BodyBytes = request.BodyBytes,
        AffinityKey = request.AffinityKey,
        AffinityEndpoint = request.AffinityEndpoint.Address,
        Explain = request.Explain,
        Subset = Addresses(request.Subset),
        Excluded = Addresses(request.Excluded),
        ExcludedRegions = request.ExcludedRegions.IsDefaultOrEmpty ? null : [.. request.ExcludedRegions],
        OriginRegion = request.OriginRegion,
        OriginEpoch = request.OriginEpoch,
        OriginReason = (int)request.OriginReason,
        Hops = request.Hops,
        IsTentative = request.IsTentative,
    };

    /// <summary>The request, for the pool's state.</summary>
    public RouteRequest ToRequest(PoolId pool, GatewaySession session) => new()
    {
        RequestId = RequestId,
        Pool = pool,
        Session = session,
        Model = Model,
        Priority = Priority,
        FairnessId = FairnessId,
        PromptTokens = PromptTokens,
        MaxOutputTokens = MaxOutputTokens,
        IsStreaming = IsStreaming,
        PrefixChain = PrefixChain,
        BodyBytes = BodyBytes,
        AffinityKey = AffinityKey,
        AffinityEndpoint = AffinityEndpoint is null ? default : new EndpointId(AffinityEndpoint),
        Explain = Explain,
        Subset = Endpoints(Subset),
        Excluded = Endpoints(Excluded),
        ExcludedRegions = ExcludedRegions is null ? default : ImmutableCollectionsMarshal.AsImmutableArray(ExcludedRegions),
        OriginRegion = OriginRegion,
        OriginEpoch = OriginEpoch,
        OriginReason = (DecisionReason)OriginReason,
        Hops = Hops,
        IsTentative = IsTentative,
    };

    private static string[]? Addresses(System.Collections.Immutable.ImmutableArray<EndpointId> endpoints)
    {
        if (endpoints.IsDefault) return null;
        if (endpoints.IsEmpty) return [];
        var addresses = new string[endpoints.Length];
        for (var i = 0; i < addresses.Length; i++) addresses[i] = endpoints[i].Address;
        return addresses;
    }

    private static System.Collections.Immutable.ImmutableArray<EndpointId> Endpoints(string[]? addresses)
    {
        if (addresses is null) return default;
        if (addresses.Length == 0) return [];
        var endpoints = new EndpointId[addresses.Length];
        for (var i = 0; i < endpoints.Length; i++) endpoints[i] = new EndpointId(addresses[i]);
        return ImmutableCollectionsMarshal.AsImmutableArray(endpoints);
    }
}
