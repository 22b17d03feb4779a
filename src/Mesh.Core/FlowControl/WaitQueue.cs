using System.Collections.Immutable;
using Mesh.Core.Regions.Reports;

namespace Mesh.Core.FlowControl;

/// <summary>
/// Waiting requests in the order in which they are served: strict priority bands, round robin between the flows of a band, then the
/// order inside a flow. Joining, leaving and being served cost O(log n). Not thread-safe; the owner keeps the bounds.
/// </summary>
internal sealed class WaitQueue
{
    private readonly SortedList<int, PriorityBand> _bands = new(Comparer<int>.Create((a, b) => b.CompareTo(a)));
    private readonly Dictionary<Wishes, WaitClass> _classes = [];
    private readonly WaitQueueSpares _spares = new();

    // Where a pass is.
    private long _pass;
    private int _notRuledOut;
    private int _band;
    private Flow? _flow;
    private int _flowsLeft;

    public int Count { get; private set; }

    /// <summary>Non-empty bands, highest priority first.</summary>
    public IList<PriorityBand> Bands => _bands.Values;

    /// <summary>Highest priority that waits; null when nobody does.</summary>
    public int? HighestPriority => Count == 0 ? null : _bands.GetValueAtIndex(0).Priority;

    /// <summary>The next request to serve; null when empty.</summary>
    public Waiter? Head => StartPass();

    public void Add(Waiter waiter)
    {
        if (!_bands.TryGetValue(waiter.Request.Priority, out var band))
        {
            band = _spares.Bands.Take();
            band.Priority = waiter.Request.Priority;
            _bands.Add(band.Priority, band);
        }
        waiter.Class = ClassOf(new Wishes(waiter.Request));
        waiter.Class.Count++;
        band.Add(waiter, _spares);
        waiter.Queue = this;
        Count++;
    }

    /// <summary>Takes a request out because it is served, or because it leaves. Ends a pass.</summary>
    public void Remove(Waiter waiter, bool served)
    {
        var band = waiter.Flow!.Band;
        band.Remove(waiter, served, _spares);
        waiter.Queue = null;
        Count--;
        var left = waiter.Class!;
        waiter.Class = null;
        if (--left.Count == 0)
        {
            _classes.Remove(left.Wishes);
            left.Wishes = default;
            _spares.Classes.Return(left);
        }
        if (band.Count > 0) return;
        _bands.Remove(band.Priority);
        _spares.Bands.Return(band);
    }

    /// <inheritdoc cref="PriorityBand.Charge"/>
    public void Charge(ImmutableArray<FlowUsage> usage, double seconds)
    {
        foreach (var band in _bands.Values) band.Charge(usage, seconds);
    }

    /// <summary>Begins to offer the requests for a place, in the order of service; null when nobody waits.</summary>
    public Waiter? StartPass()
    {
        _pass++;
        _notRuledOut = Count;
        _band = 0;
        _flow = null;
        return Advance();
    }

    /// <summary>The request has found no place: the next one that asks for something else; null when there is none.</summary>
    public Waiter? RuleOut(Waiter waiter)
    {
        waiter.Class!.RuledOutIn = _pass;
        _notRuledOut -= waiter.Class.Count;
        return Advance();
    }

    private Waiter? Advance()
    {
        while (_notRuledOut > 0 && _band < _bands.Count)
        {
            if (_flow is null)
            {
                var band = _bands.GetValueAtIndex(_band);
                _flow = band.Turn!;
                _flowsLeft = band.FlowCount;
            }
            for (; _flowsLeft > 0; _flowsLeft--, _flow = _flow.Next)
            {
                if (_flow.First(_pass) is { } first) return first;
            }
            _band++;
            _flow = null;
        }
        return null;
    }

    private WaitClass ClassOf(Wishes wishes)
    {
        if (_classes.TryGetValue(wishes, out var found)) return found;
        found = _spares.Classes.Take();
        found.Wishes = wishes;
        _classes.Add(wishes, found);
        return found;
    }
}
