using Mesh.Core.Endpoints;

namespace Mesh.Core.Leases;

/// <summary>One lease as the gateway that holds it tells it to a pool state that does not know it any more, or not yet.</summary>
/// <param name="Lease">Id under which the gateway will complete it; it stays valid after the announcement.</param>
/// <param name="Endpoint">Endpoint that works on the request.</param>
/// <param name="PromptTokens">Estimated prompt length, at least 0.</param>
/// <param name="OutputTokens">Expected output length, at least 0.</param>
/// <param name="FirstByteSeen">True when the answer has begun.</param>
public readonly record struct HeldLease(LeaseId Lease, EndpointId Endpoint, int PromptTokens, int OutputTokens, bool FirstByteSeen)
{
    /// <summary>Peer region that the request was forwarded to, in which case <see cref="Endpoint"/> says nothing; null for a request of the own endpoints.</summary>
    public string? Region { get; init; }

    /// <summary>Peer region that the request came from; null for a client's own.</summary>
    public string? OriginRegion { get; init; }

    /// <summary>What it was predicted to cost, as <see cref="Routing.RouteDecision.Work"/> said; default where that is not known, which counts as no prompt outstanding.</summary>
    public LeaseWork Work { get; init; }

    /// <summary>How long ago it was made, at least 0.</summary>
    public TimeSpan Age { get; init; }

    /// <summary>How long ago the answer began, at least 0; of no meaning before.</summary>
    public TimeSpan FirstByteAge { get; init; }

    /// <summary>True when the answer comes as a whole, so that its first byte does not say when the prompt was computed.</summary>
    public bool IsWhole { get; init; }

    /// <summary>Model or LoRA adapter that was asked for; null when it is not known.</summary>
    public string? Model { get; init; }
}
