namespace Mesh.Core.FlowControl;

/// <summary>What a queue uses again, so that waiting allocates nothing once it has been as long before.</summary>
internal sealed class WaitQueueSpares
{
    public FreeList<PriorityBand> Bands { get; } = new();

    public FreeList<Flow> Flows { get; } = new();

    public FreeList<Lane> Lanes { get; } = new();

    public FreeList<WaitClass> Classes { get; } = new();
}
