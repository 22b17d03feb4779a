using Mesh.Resources.Reading;

namespace Mesh.Resources.Types;

/// <summary>The union of the exported pools of one namespace and name. The mesh computes it; one that is written, as a dump contains it, is accepted.</summary>
internal sealed record GcpInferencePoolImport(ResourceHeader Header) : Resource(Header)
{
    public const string Group = "networking.gke.io";

    public const string KindName = "GCPInferencePoolImport";

    public static KindDefinition Kind { get; } = new(KindName, [Group + "/v1"], Read) { IsCore = true };

    private static GcpInferencePoolImport Read(ResourceHeader header, ObjectReader root)
    {
        root.Ignore("spec");
        return new GcpInferencePoolImport(header);
    }
}
