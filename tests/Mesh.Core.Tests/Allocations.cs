namespace Mesh.Core.Tests;

/// <summary>Counts what an action allocates.</summary>
internal static class Allocations
{
    private const int Runs = 3;

    /// <summary>
    /// Bytes that this thread allocates in one run of an action: the least of three, as a collection that other tests cause meanwhile may count. The action has run
    /// before, so that its buffers have grown.
    /// </summary>
    public static long Of(Action action)
    {
        var least = long.MaxValue;
        for (var run = 0; run < Runs; run++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            action();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }
}
