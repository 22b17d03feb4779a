using Mesh.Resources.Diagnostics;
using Mesh.Resources.Types;

namespace Mesh.Resources.Reading;

/// <summary>Turns YAML documents into objects of the kinds that the mesh reads. Items of a List become objects of their own.</summary>
internal sealed class DocumentBinder(string cluster, DiagnosticBag report, List<Resource> resources)
{
    /// <summary>Kinds of the groups that the mesh reads from which are real, but of no concern; they are not taken for misspellings.</summary>
    private static readonly HashSet<string> _otherKinds = new(StringComparer.Ordinal)
    {
        "GatewayClass", "GRPCRoute", "TCPRoute", "TLSRoute", "UDPRoute", "ReferenceGrant", "BackendTLSPolicy", "BackendTrafficPolicy", "ListenerSet",
        "XListenerSet", "GCPGatewayPolicy", "LBPolicy", "InferenceModel", "InferencePoolImport", "ClusterSet", "MultidimPodAutoscaler",
    };

    private static readonly ILookup<string, KindDefinition> _byName = Kinds.All.ToLookup(k => k.Name, StringComparer.Ordinal);

    private static readonly HashSet<string> _groups = new(Kinds.All.SelectMany(k => k.ApiVersions).Select(GroupOf), StringComparer.Ordinal);

    public void Bind(YamlDocument document) =>
        Bind(document.Root, new Spot(document.File, document.Index, "", document.Root.Line, document.Root.Column));

    private void Bind(YamlNode node, Spot at)
    {
        if (node is not YamlMapping mapping)
        {
            report.Error(
                at, DiagnosticCodes.NotAnObject, $"An object was expected, but this is {node.Describe()}",
                "begin with apiVersion and kind");
            return;
        }

        // The heads of all objects are read before it is known whether the kind is one of ours, hence tolerantly.
        var head = new ObjectReader(mapping, at, new DiagnosticBag(), tolerant: true);
        var apiVersion = head.String("apiVersion")?.Value;
        var kind = head.String("kind")?.Value;
        if (apiVersion is null || kind is null)
        {
            report.Error(
                at, DiagnosticCodes.NotAnObject, $"The object has no {(apiVersion is null ? "apiVersion" : "kind")}",
                "every object begins with apiVersion and kind");
        }
        else if (kind == "List" && apiVersion == "v1")
        {
            BindList(mapping, at);
        }
        else if (_byName[kind].FirstOrDefault(k => k.ApiVersions.Contains(apiVersion)) is { } definition)
        {
            BindObject(mapping, at, definition, apiVersion);
        }
        else
        {
            ReportOther(head, apiVersion, kind);
        }
    }

    private void BindList(YamlMapping mapping, Spot at)
    {
        if (mapping.Entries.FirstOrDefault(e => e.Key.Text == "items").Value is not YamlSequence items) return;
        for (var i = 0; i < items.Items.Length; i++)
        {
            var item = items.Items[i];
            var path = at.Path.Length == 0 ? $"items[{i}]" : $"{at.Path}.items[{i}]";
            Bind(item, at with { Path = path, Line = item.Line, Column = item.Column });
        }
    }

    private void BindObject(YamlMapping mapping, Spot at, KindDefinition kind, string apiVersion)
    {
        var root = new ObjectReader(mapping, at, report, kind.IsCore);
        root.Ignore("apiVersion", "kind", "status");
        var header = MetadataReader.Read(root, kind, apiVersion, cluster);

        // Without a name the rest is checked all the same, under a name that no object can have.
        var resource = kind.Read(header ?? Nameless(kind, apiVersion, at), root);
        root.Done();
        if (header is not null && resource is not null) resources.Add(resource);
    }

    private ResourceHeader Nameless(KindDefinition kind, string apiVersion, Spot at) => new()
    {
        Kind = kind, ApiVersion = apiVersion, Cluster = cluster, Namespace = MetadataReader.DefaultNamespace, Name = "?", At = at, NameAt = at,
    };

    private void ReportOther(ObjectReader head, string apiVersion, string kind)
    {
        var isOurGroup = _groups.Contains(GroupOf(apiVersion));
        if (isOurGroup && _byName[kind].FirstOrDefault() is { } known)
        {
            report.Error(
                head.SpotOf("apiVersion"), DiagnosticCodes.UnsupportedVersion, $"{kind} of {apiVersion} is not read",
                $"write apiVersion: {string.Join(" or ", known.ApiVersions)}");
            return;
        }

        var nearest = isOurGroup && GroupOf(apiVersion).Length > 0 && !_otherKinds.Contains(kind) ? Misspelt(kind) : null;
        if (nearest is not null)
            report.Error(head.SpotOf("kind"), DiagnosticCodes.UnknownKind, $"{apiVersion} has no kind {kind}", $"did you mean {nearest}?");
        else
            report.Info(head.SpotOf("kind"), DiagnosticCodes.KindSkipped, $"{kind} ({apiVersion}) is not read by the mesh");
    }

    private static string? Misspelt(string kind) =>
        NearestName.Of(kind, _byName.Select(g => g.Key)) is { } nearest && NearestName.Distance(kind, nearest) <= 2 ? nearest : null;

    private static string GroupOf(string apiVersion) => apiVersion.IndexOf('/') is var slash and > 0 ? apiVersion[..slash] : "";
}
