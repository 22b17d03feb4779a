using System.Collections.Immutable;

namespace Mesh.Gateway.Admin.Shapes;

/// <summary>Leases that are out, counted and singly.</summary>
internal sealed record LeasesShape
{
    /// <summary>Leases out in all pools.</summary>
    public required int Total { get; init; }

    /// <summary>By gateway session.</summary>
    public required ImmutableArray<SessionLeasesShape> Sessions { get; init; }

    /// <summary>By pool.</summary>
    public required ImmutableArray<CountShape> Pools { get; init; }

    /// <summary>By endpoint, the most first, those with any; at most as many as <c>limit</c>.</summary>
    public required ImmutableArray<CountShape> Endpoints { get; init; }

    /// <summary>Single ones that match, at most <c>limit</c>.</summary>
    public required ImmutableArray<LeaseShape> Items { get; init; }

    /// <summary>Most single ones and endpoints of the answer.</summary>
    public required int Limit { get; init; }
}

/// <summary>Leases of a session.</summary>
/// <param name="Session"><c>gateway@epoch</c>.</param>
/// <param name="Own">True for this gateway's.</param>
/// <param name="Leases">Leases that it holds, in all pools.</param>
/// <param name="SinceSeenSeconds">Since its last sign of life.</param>
internal sealed record SessionLeasesShape(string Session, bool Own, int Leases, double SinceSeenSeconds);

/// <summary>A count.</summary>
/// <param name="Name">Of what.</param>
/// <param name="Leases">Leases.</param>
internal sealed record CountShape(string Name, int Leases);

/// <summary>One lease.</summary>
internal sealed record LeaseShape
{
    /// <summary><c>epoch-sequence</c>.</summary>
    public required string Id { get; init; }

    /// <summary>Pool.</summary>
    public required string Pool { get; init; }

    /// <summary>Endpoint.</summary>
    public required string Endpoint { get; init; }

    /// <summary>Gateway session.</summary>
    public required string Session { get; init; }

    /// <summary>How long it has been out.</summary>
    public required double AgeSeconds { get; init; }

    /// <summary>Estimated prompt length.</summary>
    public required int PromptTokens { get; init; }

    /// <summary>Expected output length.</summary>
    public required int OutputTokens { get; init; }

    /// <summary>Prompt tokens that the endpoint was believed to hold.</summary>
    public required int CachedTokens { get; init; }

    /// <summary>LoRA adapter; absent for a base model.</summary>
    public string? Adapter { get; init; }

    /// <summary>True once the answer has begun.</summary>
    public required bool FirstByteSeen { get; init; }
}
