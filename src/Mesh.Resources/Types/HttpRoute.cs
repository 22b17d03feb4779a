using System.Collections.Immutable;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Reading;

namespace Mesh.Resources.Types;

/// <summary>Which requests go to which pools.</summary>
internal sealed record HttpRoute(ResourceHeader Header) : Resource(Header)
{
    public static KindDefinition Kind { get; } =
        new("HTTPRoute", [Gateway.Group + "/v1", Gateway.Group + "/v1beta1"], Read) { ConfigClusterOnly = true };

    public ImmutableArray<ParentRef> Parents { get; private init; } = [];

    public ImmutableArray<Located<string>> Hostnames { get; private init; } = [];

    public ImmutableArray<RouteRule> Rules { get; private init; } = [];

    private static HttpRoute Read(ResourceHeader header, ObjectReader root) => root.Object("spec", spec =>
    {
        spec.Ignore("useDefaultGateways");
        var hosts = spec.Strings("hostnames", max: 16);
        foreach (var host in hosts.Where(h => !KubernetesNames.IsHostname(h.Value)))
            spec.Report.Error(
                host.At, DiagnosticCodes.WrongFormat, $"{host.Value} is no host name",
                "write a name such as api.example.com or *.example.com, without scheme or port");

        // Without a list Gateway API has one rule that matches everything and sends it nowhere.
        var rules = spec.Has("rules") ? spec.List("rules", RouteRule.Read, min: 1, max: 16) : [new RouteRule(spec.At)];
        return new HttpRoute(header)
        {
            Parents = spec.List("parentRefs", r => ParentRef.Read(r, header.Namespace), max: 32),
            Hostnames = hosts,
            Rules = rules,
        };
    }, required: true) ?? new HttpRoute(header);
}

/// <summary>Where a route attaches.</summary>
internal sealed record ParentRef(
    string Group, string Kind, string Namespace, Located<string> Name, Located<string>? SectionName, Located<int>? Port)
{
    public static ParentRef? Read(ObjectReader r, string routeNamespace)
    {
        var group = r.String("group", allowEmpty: true)?.Value ?? Gateway.Group;
        var kind = r.String("kind")?.Value ?? "Gateway";
        var space = r.String("namespace")?.Value ?? routeNamespace;
        var section = r.String("sectionName");
        var port = r.Int("port", 1, 65535);
        return r.String("name", required: true) is { } name ? new ParentRef(group, kind, space, name, section, port) : null;
    }
}
