namespace Mesh.Core.FlowControl;

/// <summary>Waiting requests of one flow and one class, in order.</summary>
internal sealed class Lane
{
    public IntrusiveHeap<Waiter, Waiter.ByKey> Waiters { get; } = new();

    public WaitClass Class { get; set; } = null!;
}
