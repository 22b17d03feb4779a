using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Mesh.Core.Scheduling.Cost;

/// <summary>
/// The least of everything that the costs of a run of ready endpoints are made of: from it follows what none of them can be cheaper than. Times
/// in milliseconds. <c>fixed</c> is what an endpoint costs besides prompt and wait, over its scale: <c>(decode + round trip) / scale + 2 · increment</c>,
/// for every prompt takes a step at least, which counts twice at least. One cache line; everything is infinite where nobody is ready.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CostBlock : IBlock<CostBlock>
{
    /// <summary>Least end of the work outstanding + fixed, of endpoints that had some when the block was looked at last.</summary>
    public double RunningMs;

    /// <summary>Least wait + fixed of the others.</summary>
    public double StillMs;

    /// <summary>Least fixed of all.</summary>
    public double FixedMs;

    /// <summary>Least end of the work outstanding, of endpoints that nobody waits for in the pool.</summary>
    public double FreeUntilMs;

    /// <summary>Fills the cache line.</summary>
    public double Unused;

    /// <summary>Least learned speed.</summary>
    public double Speed;

    /// <summary>Least that streams add to a step.</summary>
    public double Increment;

    /// <summary>Least scale.</summary>
    public double Scale;

    private const double None = double.PositiveInfinity;

    private static readonly CostBlock Nobody = new()
    {
        RunningMs = None, StillMs = None, FixedMs = None, FreeUntilMs = None, Unused = None, Speed = None, Increment = None, Scale = None,
    };

    /// <summary>Looks at the rows of a block.</summary>
    /// <param name="rows">Rows, of which the ready ones count.</param>
    /// <param name="nowMs">Now; the block holds from then on, until a row changes.</param>
    public static CostBlock Of(ReadOnlySpan<CostRow> rows, double nowMs)
    {
        var block = Nobody;
        foreach (ref readonly var row in rows)
        {
            if (!row.MayBeChosen) continue;
            // A scale of 0 makes everything cost nothing: then nothing bounds it.
            var fixedMs = row.Scale > 0 ? (row.DecodeMs + row.RoundTripMs) / row.Scale + 2 * row.StepIncrementMs : double.NegativeInfinity;
            if (row.BusyUntilMs - nowMs > row.LeastWaitMs) block.RunningMs = Math.Min(block.RunningMs, row.BusyUntilMs + fixedMs);
            else block.StillMs = Math.Min(block.StillMs, row.LeastWaitMs + fixedMs);
            block.FixedMs = Math.Min(block.FixedMs, fixedMs);
            if (row.QueuedMs <= 0) block.FreeUntilMs = Math.Min(block.FreeUntilMs, row.BusyUntilMs);
            block.Speed = Math.Min(block.Speed, row.PrefillSpeed);
            block.Increment = Math.Min(block.Increment, row.StepIncrementMs);
            block.Scale = Math.Min(block.Scale, row.Scale);
        }

        return block;
    }

    /// <summary>A block of blocks.</summary>
    public static CostBlock Of(ReadOnlySpan<CostBlock> blocks)
    {
        var (low, high) = (Vector256.Create(None), Vector256.Create(None));
        foreach (ref readonly var block in blocks)
        {
            ref var first = ref Unsafe.AsRef(in block.RunningMs);
            low = Vector256.MinNative(low, Vector256.LoadUnsafe(ref first));
            high = Vector256.MinNative(high, Vector256.LoadUnsafe(ref first, (nuint)Vector256<double>.Count));
        }

        CostBlock least;
        Unsafe.SkipInit(out least);
        low.StoreUnsafe(ref least.RunningMs);
        high.StoreUnsafe(ref least.RunningMs, (nuint)Vector256<double>.Count);
        return least;
    }

    /// <summary>What no endpoint of the block costs less than.</summary>
    /// <param name="tableMs">Least time of the prompt on any of them, by the step-time table.</param>
    /// <param name="steps">Least engine steps of it.</param>
    /// <param name="workWeight">w − 1, at least 1.</param>
    /// <param name="nowMs">Now.</param>
    public readonly double Bound(double tableMs, int steps, double workWeight, double nowMs)
    {
        if (Scale == None) return None;
        var waiting = Math.Min(Math.Max(RunningMs - nowMs, FixedMs), StillMs);
        return Scale * (waiting + tableMs * (Speed + workWeight) + (steps * (1 + workWeight) - 2) * Increment);
    }
}
