using Mesh.Core.Endpoints;
using Mesh.Grains.Contracts;

namespace Mesh.Grains.Gateways;

/// <summary>
/// What a pool has not been told yet: what became of requests, in order, and the newest report of each endpoint. Bounded by the requests that the
/// gateway has under way. Not thread-safe.
/// </summary>
internal sealed class PoolOutbox
{
    private const int MaxItemsInBatch = 4096;
    private readonly List<FeedbackItem> _items = [];
    private readonly Dictionary<EndpointId, EndpointReport> _loads = [];
    private int _cancels;

    public bool IsEmpty => _items.Count == 0 && _loads.Count == 0;

    public void Add(in FeedbackItem item)
    {
        if (item.Kind == FeedbackKind.Cancel) _cancels++;
        _items.Add(item);
    }

    public void Add(in EndpointReport report) => _loads[report.Endpoint] = report;

    /// <summary>Takes the oldest items, and every report.</summary>
    public FeedbackBatch Take(long epoch, int session, long sequence, TimeProvider time)
    {
        var count = Math.Min(_items.Count, MaxItemsInBatch);
        var items = new FeedbackItem[count];
        _items.CopyTo(0, items, 0, count);
        _items.RemoveRange(0, count);
        if (_cancels > 0) _cancels -= CancelsIn(items);
        var loads = _loads.Count == 0 ? [] : new LoadNews[_loads.Count];
        var i = 0;
        foreach (var (endpoint, report) in _loads)
        {
            loads[i++] = new LoadNews
            {
                Endpoint = endpoint,
                AgeTicks = Ages.Of(report.Timestamp, time),
                KvUtilizationRatio = report.KvUtilizationRatio,
                RunningRequests = report.RunningRequests,
                WaitingRequests = report.WaitingRequests,
                ApplicationUtilizationRatio = report.ApplicationUtilizationRatio,
                CpuUtilizationRatio = report.CpuUtilizationRatio,
            };
        }
        _loads.Clear();
        return new FeedbackBatch { Epoch = epoch, Session = session, Sequence = sequence, Items = items, Loads = loads };
    }

    /// <summary>A batch did not arrive, or nobody knows: it is first again. Reports are not repeated; there will be newer ones.</summary>
    public void PutBack(FeedbackBatch batch)
    {
        _items.InsertRange(0, batch.Items);
        _cancels += CancelsIn(batch.Items);
    }

    /// <summary>Least number of the calls that were given up and the pool has not been told of; the number itself without any.</summary>
    public long LeastCancel(long number) => _cancels == 0 ? number : LeastCancel(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_items), number);

    /// <summary>The same of a batch.</summary>
    public static long LeastCancel(ReadOnlySpan<FeedbackItem> items, long number)
    {
        foreach (ref readonly var item in items)
        {
            if (item.Kind == FeedbackKind.Cancel) number = Math.Min(number, item.Lease.Sequence);
        }

        return number;
    }

    private static int CancelsIn(ReadOnlySpan<FeedbackItem> items)
    {
        var cancels = 0;
        foreach (ref readonly var item in items)
        {
            if (item.Kind == FeedbackKind.Cancel) cancels++;
        }

        return cancels;
    }
}
