using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Leases;

namespace Mesh.Core.Snapshots;

/// <summary>One lease that is out. Immutable.</summary>
public sealed record LeaseSnapshot
{
    /// <summary>The lease.</summary>
    public required LeaseId Id { get; init; }

    /// <summary>Pool that handed it out.</summary>
    public required PoolId Pool { get; init; }

    /// <summary>Endpoint that works on its request; default for one that was forwarded.</summary>
    public required EndpointId Endpoint { get; init; }

    /// <summary>Peer region that the request was forwarded to; null for one of the own endpoints.</summary>
    public string? Region { get; init; }

    /// <summary>Peer region that the request came from; null for a client's own.</summary>
    public string? OriginRegion { get; init; }

    /// <summary>Gateway session that holds it.</summary>
    public required GatewaySession Session { get; init; }

    /// <summary>How long it has been out, by the pool's clock; of one that was announced without its age, since the announcement.</summary>
    public TimeSpan Age { get; init; }

    /// <summary>Estimated prompt length in tokens.</summary>
    public int PromptTokens { get; init; }

    /// <summary>Expected output length in tokens.</summary>
    public int OutputTokens { get; init; }

    /// <summary>Prompt tokens that the endpoint was believed to hold.</summary>
    public int CachedTokens { get; init; }

    /// <summary>LoRA adapter that it runs with; null for a base model.</summary>
    public string? Adapter { get; init; }

    /// <summary>True once the answer has begun.</summary>
    public bool FirstByteSeen { get; init; }

    /// <summary>Since the answer's stream began; zero before, and where the answer comes as a whole.</summary>
    public TimeSpan FirstByteAge { get; init; }

    /// <summary>True when the answer comes as a whole.</summary>
    public bool IsWhole { get; init; }

    /// <summary>What the request was predicted to cost its endpoint.</summary>
    public LeaseWork Work { get; init; }

    /// <summary>The lease as its holder would announce it.</summary>
    public HeldLease ToHeld() => new(Id, Endpoint, PromptTokens, OutputTokens, FirstByteSeen)
    {
        Region = Region,
        OriginRegion = OriginRegion,
        Work = Work,
        Age = Age,
        FirstByteAge = FirstByteAge,
        IsWhole = IsWhole,
        Model = Adapter,
    };
}

/// <summary>One gateway session as a pool sees it.</summary>
/// <param name="Session">The session.</param>
/// <param name="Leases">Leases that it holds.</param>
/// <param name="SinceSeen">Since its last sign of life.</param>
public sealed record SessionSnapshot(GatewaySession Session, int Leases, TimeSpan SinceSeen);
