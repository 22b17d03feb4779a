using System.Collections.Immutable;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Reading;

namespace Mesh.Resources.Types;

/// <summary>
/// Addresses with their zones. Its own labels (those of its Service, as Kubernetes copies them) are what an InferencePool's
/// selector is compared with; it also tells the zone of pods that are listed by themselves.
/// </summary>
internal sealed record EndpointSlice(ResourceHeader Header) : Resource(Header)
{
    public static KindDefinition Kind { get; } = new("EndpointSlice", ["discovery.k8s.io/v1"], Read) { IsCore = true };

    public ImmutableArray<SliceEndpoint> Endpoints { get; private init; } = [];

    /// <summary>Ports of the slice; empty means all ports.</summary>
    public ImmutableArray<SlicePort> Ports { get; private init; } = [];

    private static EndpointSlice Read(ResourceHeader header, ObjectReader root)
    {
        var type = root.Choice("addressType", [("IPv4", true), ("IPv6", true), ("FQDN", false)], required: true);
        if (type is { Value: false })
        {
            root.Report.Error(
                type.At, DiagnosticCodes.Unsupported, "An EndpointSlice of type FQDN names no addresses to send to",
                "list IPv4 or IPv6 addresses");
            return new EndpointSlice(header);
        }

        return new EndpointSlice(header)
        {
            Ports = root.List(
                "ports",
                p => p.Int("port", 1, 65535) is { } port ? new SlicePort(p.String("name", allowEmpty: true)?.Value, port.Value) : null),
            Endpoints = root.List("endpoints", Endpoint),
        };
    }

    private static SliceEndpoint Endpoint(ObjectReader e)
    {
        var addresses = ImmutableArray.CreateBuilder<Located<string>>();
        foreach (var address in e.Strings("addresses", min: 1, max: 100, required: true))
        {
            if (IpText.Normalize(address.Value) is { } text) addresses.Add(address with { Value = text });
            else e.Report.Error(address.At, DiagnosticCodes.WrongFormat, $"{address.At.Path} is {address.Value}, which is no IP address");
        }

        var terminating = false;
        e.Object("conditions", c =>
        {
            terminating = c.Bool("terminating")?.Value ?? false;
            return c;
        });
        var pod = e.Object("targetRef", r => r.String("kind") is { Value: "Pod" } ? r.String("name") : null);
        return new SliceEndpoint(
            addresses.ToImmutable(), e.String("zone")?.Value, pod?.Value ?? e.String("hostname")?.Value, terminating, e.At);
    }
}

/// <summary>One endpoint of a slice.</summary>
internal sealed record SliceEndpoint(ImmutableArray<Located<string>> Addresses, string? Zone, string? PodName, bool IsTerminating, Spot At);

/// <summary>One port of a slice.</summary>
internal sealed record SlicePort(string? Name, int Number);
