namespace Mesh.Core.FlowControl;

/// <summary>Waiting requests of one fairness id inside one priority band, and their neighbours in the band's round.</summary>
internal sealed class Flow(PriorityBand band, string id)
{
    public PriorityBand Band { get; } = band;

    public string Id { get; } = id;

    public IntrusiveHeap<Waiter, Waiter.ByKey> Waiters { get; } = new();

    public Flow Next { get; set; } = null!;

    public Flow Previous { get; set; } = null!;
}
