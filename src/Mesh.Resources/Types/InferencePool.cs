using System.Collections.Immutable;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Reading;

namespace Mesh.Resources.Types;

/// <summary>The model servers of one cluster that serve one model: pods by label, each on 1–8 ports.</summary>
internal sealed record InferencePool(ResourceHeader Header) : Resource(Header)
{
    public const string Group = "inference.networking.k8s.io";

    public static KindDefinition Kind { get; } = new("InferencePool", [Group + "/v1"], Read);

    public ImmutableSortedDictionary<string, string> Selector { get; private init; } = ImmutableSortedDictionary<string, string>.Empty;

    public ImmutableArray<Located<int>> TargetPorts { get; private init; } = [];

    /// <summary>Place of an endpoint picker of its own, which the mesh replaces; null without one.</summary>
    public Spot? EndpointPickerAt { get; private init; }

    private static InferencePool? Read(ResourceHeader header, ObjectReader root) =>
        root.Object("spec", spec => Spec(header, spec), required: true)
        ?? new InferencePool(header);

    private static InferencePool Spec(ResourceHeader header, ObjectReader spec)
    {
        var selector = spec.Object("selector", s => s.Map("matchLabels", min: 1, max: 64, required: true), required: true);
        if (selector is not null) KubernetesNames.CheckLabels(selector, spec.Report);
        var ports = spec.List("targetPorts", p => p.Int("number", 1, 65535, required: true), min: 1, max: 8, required: true);
        foreach (var repeated in ports.GroupBy(p => p.Value).Where(g => g.Count() > 1).Select(g => g.Last()))
            spec.Report.Error(
                repeated.At, DiagnosticCodes.DuplicateValue, $"Port {repeated.Value} is already among the target ports",
                "name each port once");

        if (spec.Choice("appProtocol", [("http", true), ("kubernetes.io/h2c", false)]) is { Value: false } protocol)
            spec.Report.Warning(
                protocol.At, DiagnosticCodes.NoCounterpart,
                "The mesh speaks HTTP/1.1 to model servers; appProtocol kubernetes.io/h2c has no effect");
        Spot? picker = null;
        spec.Object("endpointPickerRef", r =>
        {
            picker = r.At;
            var name = r.String("name", required: true);
            r.String("group", allowEmpty: true);
            r.String("kind");
            r.Object("port", p => p.Int("number", 1, 65535, required: true));
            r.Choice("failureMode", [("FailOpen", true), ("FailClose", false)]);
            return name;
        });
        return new InferencePool(header)
        {
            Selector = selector?.Value ?? ImmutableSortedDictionary<string, string>.Empty,
            TargetPorts = ports,
            EndpointPickerAt = picker,
        };
    }
}
