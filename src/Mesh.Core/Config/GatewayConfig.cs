using System.Collections.Immutable;

namespace Mesh.Core.Config;

/// <summary>One Gateway object: listeners that every region's gateway process opens.</summary>
public sealed record GatewayConfig
{
    /// <summary>Namespace.</summary>
    public required string Namespace { get; init; }

    /// <summary>Name.</summary>
    public required string Name { get; init; }

    /// <summary>Listeners in the manifest's order.</summary>
    public ImmutableArray<ListenerConfig> Listeners { get; init; } = [];

    /// <summary>Regions named by <c>spec.addresses</c>, in order; empty means every region.</summary>
    public ImmutableArray<string> Regions { get; init; } = [];
}

/// <summary>One listener.</summary>
/// <param name="Name">Section name.</param>
/// <param name="Protocol">HTTP or HTTPS.</param>
/// <param name="Port">1–65535.</param>
/// <param name="Hostname">Accepted host, a leading <c>*.</c> being a wildcard; null accepts any.</param>
public sealed record ListenerConfig(string Name, ListenerProtocol Protocol, int Port, string? Hostname)
{
    /// <summary>Names of <c>tls.certificateRefs</c> in the manifest's order; empty for clear text.</summary>
    public ImmutableArray<string> Certificates { get; init; } = [];
}

/// <summary>Protocol of a listener.</summary>
public enum ListenerProtocol
{
    /// <summary>Clear text.</summary>
    Http,

    /// <summary>TLS.</summary>
    Https,
}
