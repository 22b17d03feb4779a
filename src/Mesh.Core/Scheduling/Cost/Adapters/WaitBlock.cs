namespace Mesh.Core.Scheduling.Cost.Adapters;

/// <summary>The least waits of a run of ready endpoints, of all of them and of those that have an adapter's slot free; infinite where nobody is. Times in milliseconds.</summary>
internal struct WaitBlock : IBlock<WaitBlock>
{
    // More than what sums of times lose in their last digits.
    private const double RoundingMs = 1e-6;

    /// <summary>Least end of the work outstanding + decode.</summary>
    public double UntilMs;

    /// <summary>Least of the least waits + decode.</summary>
    public double LeastMs;

    /// <summary>Of those with a free slot: as <see cref="UntilMs"/>.</summary>
    public double FreeUntilMs;

    /// <summary>Of those with a free slot: as <see cref="LeastMs"/>.</summary>
    public double FreeLeastMs;

    public static WaitBlock Nobody => new()
    {
        UntilMs = double.PositiveInfinity, LeastMs = double.PositiveInfinity, FreeUntilMs = double.PositiveInfinity, FreeLeastMs = double.PositiveInfinity,
    };

    /// <summary>Adds a ready endpoint.</summary>
    public void Add(ref readonly CostRow row, bool isFree)
    {
        UntilMs = Math.Min(UntilMs, row.BusyUntilMs + row.DecodeMs);
        LeastMs = Math.Min(LeastMs, row.LeastWaitMs + row.DecodeMs);
        if (!isFree) return;
        FreeUntilMs = Math.Min(FreeUntilMs, row.BusyUntilMs + row.DecodeMs);
        FreeLeastMs = Math.Min(FreeLeastMs, row.LeastWaitMs + row.DecodeMs);
    }

    public static WaitBlock Of(ReadOnlySpan<WaitBlock> blocks)
    {
        var all = Nobody;
        foreach (ref readonly var block in blocks)
        {
            all.UntilMs = Math.Min(all.UntilMs, block.UntilMs);
            all.LeastMs = Math.Min(all.LeastMs, block.LeastMs);
            all.FreeUntilMs = Math.Min(all.FreeUntilMs, block.FreeUntilMs);
            all.FreeLeastMs = Math.Min(all.FreeLeastMs, block.FreeLeastMs);
        }

        return all;
    }

    /// <summary>What wait + decode of none is less than.</summary>
    public static double Bound(double untilMs, double leastMs, double nowMs) => Math.Max(untilMs - nowMs - RoundingMs, leastMs);
}
