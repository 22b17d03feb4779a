using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Leases;

namespace Mesh.Grains.Surrogates;

/// <summary><see cref="EndpointId"/> on the wire.</summary>
[GenerateSerializer, Immutable, Alias("mesh.endpoint-id")]
internal struct EndpointIdSurrogate
{
    [Id(0)] public string? Address;
}

[RegisterConverter]
internal sealed class EndpointIdConverter : IConverter<EndpointId, EndpointIdSurrogate>
{
    public EndpointId ConvertFromSurrogate(in EndpointIdSurrogate surrogate) => new(surrogate.Address!);

    public EndpointIdSurrogate ConvertToSurrogate(in EndpointId value) => new() { Address = value.Address };
}

/// <summary><see cref="PoolId"/> on the wire.</summary>
[GenerateSerializer, Immutable, Alias("mesh.pool-id")]
internal struct PoolIdSurrogate
{
    [Id(0)] public string Namespace;
    [Id(1)] public string Name;
}

[RegisterConverter]
internal sealed class PoolIdConverter : IConverter<PoolId, PoolIdSurrogate>
{
    public PoolId ConvertFromSurrogate(in PoolIdSurrogate surrogate) => new(surrogate.Namespace, surrogate.Name);

    public PoolIdSurrogate ConvertToSurrogate(in PoolId value) => new() { Namespace = value.Namespace, Name = value.Name };
}

/// <summary><see cref="LeaseId"/> on the wire.</summary>
[GenerateSerializer, Immutable, Alias("mesh.lease-id")]
internal struct LeaseIdSurrogate
{
    [Id(0)] public long Epoch;
    [Id(1)] public long Sequence;
}

[RegisterConverter]
internal sealed class LeaseIdConverter : IConverter<LeaseId, LeaseIdSurrogate>
{
    public LeaseId ConvertFromSurrogate(in LeaseIdSurrogate surrogate) => new(surrogate.Epoch, surrogate.Sequence);

    public LeaseIdSurrogate ConvertToSurrogate(in LeaseId value) => new() { Epoch = value.Epoch, Sequence = value.Sequence };
}

/// <summary><see cref="GatewaySession"/> on the wire.</summary>
[GenerateSerializer, Immutable, Alias("mesh.gateway-session")]
internal struct GatewaySessionSurrogate
{
    [Id(0)] public string GatewayId;
    [Id(1)] public long Epoch;
}

[RegisterConverter]
internal sealed class GatewaySessionConverter : IConverter<GatewaySession, GatewaySessionSurrogate>
{
    public GatewaySession ConvertFromSurrogate(in GatewaySessionSurrogate surrogate) => new(surrogate.GatewayId, surrogate.Epoch);

    public GatewaySessionSurrogate ConvertToSurrogate(in GatewaySession value) => new() { GatewayId = value.GatewayId, Epoch = value.Epoch };
}

/// <summary><see cref="HeldLease"/> on the wire.</summary>
[GenerateSerializer, Immutable, Alias("mesh.held-lease")]
internal struct HeldLeaseSurrogate
{
    [Id(0)] public LeaseId Lease;
    [Id(1)] public EndpointId Endpoint;
    [Id(2)] public int PromptTokens;
    [Id(3)] public int OutputTokens;
    [Id(4)] public bool FirstByteSeen;
    [Id(5)] public string? Region;
    [Id(6)] public string? OriginRegion;
    [Id(7)] public float PromptMs;
    [Id(8)] public float BusyMs;
    [Id(9)] public long AgeTicks;
    [Id(10)] public long FirstByteAgeTicks;
    [Id(11)] public bool IsWhole;
    [Id(12)] public string? Model;
}

[RegisterConverter]
internal sealed class HeldLeaseConverter : IConverter<HeldLease, HeldLeaseSurrogate>
{
    public HeldLease ConvertFromSurrogate(in HeldLeaseSurrogate surrogate) =>
        new(surrogate.Lease, surrogate.Endpoint, surrogate.PromptTokens, surrogate.OutputTokens, surrogate.FirstByteSeen)
        {
            Region = surrogate.Region,
            OriginRegion = surrogate.OriginRegion,
            Work = new LeaseWork(surrogate.PromptMs, surrogate.BusyMs),
            Age = TimeSpan.FromTicks(surrogate.AgeTicks),
            FirstByteAge = TimeSpan.FromTicks(surrogate.FirstByteAgeTicks),
            IsWhole = surrogate.IsWhole,
            Model = surrogate.Model,
        };

    public HeldLeaseSurrogate ConvertToSurrogate(in HeldLease value) => new()
    {
        Lease = value.Lease,
        Endpoint = value.Endpoint,
        PromptTokens = value.PromptTokens,
        OutputTokens = value.OutputTokens,
        FirstByteSeen = value.FirstByteSeen,
        Region = value.Region,
        OriginRegion = value.OriginRegion,
        PromptMs = value.Work.PromptMs,
        BusyMs = value.Work.BusyMs,
        AgeTicks = value.Age.Ticks,
        FirstByteAgeTicks = value.FirstByteAge.Ticks,
        IsWhole = value.IsWhole,
        Model = value.Model,
    };
}
