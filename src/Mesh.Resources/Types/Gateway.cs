using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Reading;

namespace Mesh.Resources.Types;

/// <summary>Listeners that the gateway process of each region opens.</summary>
internal sealed record Gateway(ResourceHeader Header) : Resource(Header)
{
    public const string Group = "gateway.networking.k8s.io";

    /// <summary>The class whose behaviour the mesh has.</summary>
    public const string ClassName = "gke-l7-cross-regional-internal-managed-mc";

    private static readonly (string, ListenerProtocol?)[] _protocols =
        [("HTTP", ListenerProtocol.Http), ("HTTPS", ListenerProtocol.Https), ("TLS", null), ("TCP", null), ("UDP", null)];

    public static KindDefinition Kind { get; } =
        new("Gateway", [Group + "/v1", Group + "/v1beta1"], Read) { ConfigClusterOnly = true };

    public Located<string>? Class { get; private init; }

    public ImmutableArray<GatewayListener> Listeners { get; private init; } = [];

    public ImmutableArray<GatewayAddress> Addresses { get; private init; } = [];

    private static Gateway Read(ResourceHeader header, ObjectReader root) => root.Object("spec", spec =>
    {
        foreach (var field in (ReadOnlySpan<string>)["infrastructure", "allowedListeners", "tls", "backendTLS", "defaultScope"])
        {
            spec.Ignore(field);
            if (spec.Has(field))
                spec.Report.Warning(spec.SpotOf(field), DiagnosticCodes.NoCounterpart, $"{field} of a Gateway has no effect in the mesh");
        }

        return new Gateway(header)
        {
            Class = spec.String("gatewayClassName", required: true),
            Addresses = spec.List("addresses", a => GatewayAddress.Read(a), max: 16),
            Listeners = spec.List("listeners", Listener, min: 1, max: 64, required: true),
        };
    }, required: true) ?? new Gateway(header);

    private static GatewayListener? Listener(ObjectReader l)
    {
        var name = l.String("name", required: true);
        var protocol = l.Choice("protocol", _protocols, required: true);
        var port = l.Int("port", 1, 65535, required: true);
        var hostname = l.String("hostname");
        ImmutableArray<Located<string>> certificates = [];
        var hasTls = l.Object("tls", t =>
        {
            certificates = t.List("certificateRefs", r =>
            {
                r.Ignore("group", "kind", "namespace");
                return r.String("name", required: true);
            }, max: 64);
            if (t.Choice("mode", [("Terminate", true), ("Passthrough", false)]) is { Value: false } mode)
                t.Report.Error(
                    mode.At, DiagnosticCodes.Unsupported, "The mesh reads requests, so it cannot pass TLS through", "write Terminate");
            t.Ignore("options", "frontendValidation");
            return t;
        }) is not null;
        var from = RouteNamespaces.Same;
        string? namedNamespace = null;
        l.Object("allowedRoutes", a =>
        {
            a.Ignore("kinds");
            return a.Object("namespaces", n =>
            {
                from = n.Choice("from", [("Same", RouteNamespaces.Same), ("All", RouteNamespaces.All), ("Selector", RouteNamespaces.Selector), ("None", RouteNamespaces.None)])?.Value
                    ?? from;
                var selector = n.Object("selector", s => s.Map("matchLabels", min: 1, required: true));
                selector?.Value.TryGetValue("kubernetes.io/metadata.name", out namedNamespace);
                if (from == RouteNamespaces.Selector && (selector is null || selector.Value.Count > 1 || namedNamespace is null))
                {
                    n.Report.Error(
                        n.At, DiagnosticCodes.Unsupported, "Namespaces can be selected by the label kubernetes.io/metadata.name only",
                        "write from: All, or matchLabels with that label alone");
                }

                return n;
            });
        });
        if (hostname is not null && !KubernetesNames.IsHostname(hostname.Value))
            l.Report.Error(hostname.At, DiagnosticCodes.WrongFormat, $"{hostname.Value} is no host name");
        if (protocol is { Value: null })
        {
            l.Report.Error(protocol.At, DiagnosticCodes.Unsupported, $"{protocol.At.Path}: the mesh serves HTTP and HTTPS only");
            return null;
        }

        if (protocol is { Value: ListenerProtocol.Https } && !(hasTls && certificates.Length > 0))
            l.Report.Error(
                l.SpotOf("tls"), DiagnosticCodes.RequiredField, $"{l.At.Path}.tls.certificateRefs is required for protocol HTTPS");
        return name is null || protocol is null || port is null
            ? null
            : new GatewayListener(name, protocol.Value!.Value, port, hostname, from, namedNamespace)
            {
                Certificates = [.. certificates.Select(c => c.Value)],
            };
    }
}

/// <summary>One listener.</summary>
internal sealed record GatewayListener(
    Located<string> Name, ListenerProtocol Protocol, Located<int> Port, Located<string>? Hostname, RouteNamespaces From, string? NamedNamespace)
{
    /// <summary>Names of <c>tls.certificateRefs</c>.</summary>
    public ImmutableArray<string> Certificates { get; init; } = [];

    /// <summary>True when routes of a namespace may attach.</summary>
    public bool Allows(string gatewayNamespace, string routeNamespace) => From switch
    {
        RouteNamespaces.All => true,
        RouteNamespaces.Same => gatewayNamespace == routeNamespace,
        RouteNamespaces.Selector => NamedNamespace == routeNamespace,
        _ => false,
    };
}

/// <summary>One address: the region whose gateway process it stands for, where its type names one.</summary>
internal sealed record GatewayAddress(string Type, string? Value, string? Region, Spot At)
{
    private const string EphemeralPrefix = "networking.gke.io/ephemeral-ipv4-address/";

    public static GatewayAddress Read(ObjectReader a)
    {
        var type = a.String("type")?.Value ?? "IPAddress";
        var region = type.StartsWith(EphemeralPrefix, StringComparison.Ordinal) ? type[EphemeralPrefix.Length..] : null;
        return new GatewayAddress(type, a.String("value", allowEmpty: true)?.Value, region, a.At);
    }
}

/// <summary><c>allowedRoutes.namespaces.from</c>.</summary>
internal enum RouteNamespaces
{
    Same,
    All,
    Selector,
    None,
}
