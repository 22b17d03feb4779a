using Mesh.Core.FlowControl;
using Mesh.Resources.Reading;

namespace Mesh.Resources.Types;

/// <summary>
/// What happens to a pool's requests when every backend is at target, and the bounds of what may wait. A kind of the mesh's own.
/// </summary>
internal sealed record FlowControlPolicy(ResourceHeader Header) : Resource(Header), IPolicy
{
    public static KindDefinition Kind { get; } = new("FlowControlPolicy", [MeshGroup.Version], Read) { ConfigClusterOnly = true };

    public LocalRef? Target { get; private init; }

    public Located<WhenFull>? WhenFull { get; private init; }

    public Located<int>? MaxWaitingRequests { get; private init; }

    public Located<long>? MaxWaitingBytes { get; private init; }

    public Located<int>? MaxWaitSec { get; private init; }

    public Located<QueueOrder>? Order { get; private init; }

    private static FlowControlPolicy Read(ResourceHeader header, ObjectReader root) =>
        root.Object("spec", spec => Spec(header, spec), required: true) ?? new FlowControlPolicy(header);

    private static FlowControlPolicy Spec(ResourceHeader header, ObjectReader spec) => new(header)
    {
        Target = spec.Object("targetRef", LocalRef.ReadTarget, required: true),
        WhenFull = spec.Choice("whenFull",
        [
            ("Overfill", Core.FlowControl.WhenFull.Overfill), ("Queue", Core.FlowControl.WhenFull.Queue),
            ("Shed", Core.FlowControl.WhenFull.Shed),
        ]),
        MaxWaitingRequests = spec.Int("maxWaitingRequests", 1, 1_000_000),
        MaxWaitingBytes = spec.Bytes("maxWaitingBytes"),
        MaxWaitSec = spec.Int("maxWaitSec", 1, 3600),
        Order = spec.Choice("order", [("Shortest", QueueOrder.Shortest), ("Fcfs", QueueOrder.Fcfs)]),
    };
}
