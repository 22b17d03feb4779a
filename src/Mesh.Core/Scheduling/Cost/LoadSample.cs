namespace Mesh.Core.Scheduling.Cost;

/// <summary>
/// Mean wait and share of endpoints that could begin at once, over a large pool: every choice looks at the next 64 slots and takes the others as
/// they were last time, some dozens of choices ago. Not thread-safe.
/// </summary>
internal sealed class LoadSample
{
    private const int WindowSlots = 64;
    private Window[] _windows = [];
    private Window _sum;
    private int _next;

    /// <summary>Looks at the next window.</summary>
    /// <param name="rows">Rows, up to the last of the candidates.</param>
    /// <param name="among">The candidates.</param>
    /// <param name="bindAheadMs">An endpoint with less work than this, and no queue, could begin at once.</param>
    /// <param name="nowMs">Now.</param>
    /// <returns>Mean wait in milliseconds, and share of endpoints that could not begin at once; both 0 when there is no endpoint.</returns>
    public (double MeanWaitMs, double BusyShare) Look(ReadOnlySpan<CostRow> rows, CandidateRows among, double bindAheadMs, double nowMs)
    {
        var windows = (rows.Length - among.First + WindowSlots - 1) / WindowSlots;
        if (windows > _windows.Length) Array.Resize(ref _windows, windows);
        if (_next >= windows)
        {
            _next = 0;
            // Once a round from the parts: what is added and taken away again leaves its last digits behind.
            _sum = default;
            foreach (ref readonly var each in _windows.AsSpan(0, windows)) _sum.Add(in each, 1);
        }

        var first = among.First + (_next * WindowSlots);
        var window = default(Window);
        foreach (ref readonly var row in rows[first..Math.Min(rows.Length, first + WindowSlots)])
        {
            // Those that failed this one request are part of the load.
            if (!among.IsAmong(in row)) continue;
            var wait = row.WaitMs(nowMs);
            window.Count++;
            window.SumWaitMs += wait;
            if (wait < bindAheadMs && row.QueuedMs <= 0) window.Ready++;
        }

        _sum.Add(in _windows[_next], -1);
        _sum.Add(in window, 1);
        _windows[_next++] = window;
        return _sum.Count == 0 ? (0, 0) : (Math.Max(0, _sum.SumWaitMs) / _sum.Count, 1 - (double)_sum.Ready / _sum.Count);
    }

    private struct Window
    {
        public int Count;
        public int Ready;
        public double SumWaitMs;

        public void Add(in Window other, int sign)
        {
            Count += sign * other.Count;
            Ready += sign * other.Ready;
            SumWaitMs += sign * other.SumWaitMs;
        }
    }
}
