using Mesh.Resources.Reading;

namespace Mesh.Resources.Types;

/// <summary>A priority that requests ask for by name.</summary>
internal sealed record InferenceObjective(ResourceHeader Header) : Resource(Header)
{
    public static KindDefinition Kind { get; } =
        new("InferenceObjective", ["inference.networking.x-k8s.io/v1alpha2", "llm-d.ai/v1alpha2"], Read);

    /// <summary>Higher is served first, negative may be shed; 0 where unset.</summary>
    public int Priority { get; private init; }

    public LocalRef? Pool { get; private init; }

    private static InferenceObjective Read(ResourceHeader header, ObjectReader root) =>
        root.Object("spec", spec => new InferenceObjective(header)
        {
            Priority = spec.Int("priority", int.MinValue, int.MaxValue)?.Value ?? 0,
            Pool = spec.Object("poolRef", r => LocalRef.Read(r, InferencePool.Group, "InferencePool"), required: true),
        }, required: true) ?? new InferenceObjective(header);
}
