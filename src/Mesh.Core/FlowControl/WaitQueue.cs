namespace Mesh.Core.FlowControl;

/// <summary>
/// Waiting requests in the order in which they are served: strict priority bands, round robin between the flows of a band, then the
/// order inside a flow. Joining, leaving and being served cost O(log n). Not thread-safe; the owner keeps the bounds.
/// </summary>
internal sealed class WaitQueue
{
    private readonly SortedList<int, PriorityBand> _bands = new(Comparer<int>.Create((a, b) => b.CompareTo(a)));

    public int Count { get; private set; }

    /// <summary>Non-empty bands, highest priority first.</summary>
    public IList<PriorityBand> Bands => _bands.Values;

    /// <summary>The next request to serve; null when empty.</summary>
    public Waiter? Head => Count == 0 ? null : _bands.Values[0].Turn!.Waiters.Min;

    public void Add(Waiter waiter)
    {
        if (!_bands.TryGetValue(waiter.Request.Priority, out var band))
        {
            band = new PriorityBand(waiter.Request.Priority);
            _bands.Add(band.Priority, band);
        }
        band.Add(waiter);
        waiter.Queue = this;
        Count++;
    }

    /// <summary>Takes a request out because it is served, or because it leaves.</summary>
    public void Remove(Waiter waiter, bool served)
    {
        var band = waiter.Flow!.Band;
        band.Remove(waiter, served);
        waiter.Queue = null;
        Count--;
        if (band.Count == 0) _bands.Remove(band.Priority);
    }
}
