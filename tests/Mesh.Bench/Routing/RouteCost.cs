using System.Globalization;

namespace Mesh.Bench.Routing;

/// <summary>
/// Processor time of <see cref="RouteAndComplete"/> by the size of the pool: on a machine that others use, the clock on the wall says little. The sizes
/// take turns, and the least of the rounds counts.
/// </summary>
internal static class RouteCost
{
    private const int Rounds = 7;
    private const int Turns = 40_000;

    /// <summary>Measures and prints one line per size.</summary>
    /// <param name="args">Endpoints of each pool; 8 to 10,000 where none are given.</param>
    public static int Run(string[] args)
    {
        int[] sizes = args.Length == 0 ? [8, 100, 1000, 10_000] : Array.ConvertAll(args, a => int.Parse(a, CultureInfo.InvariantCulture));
        var pools = sizes.Select(s => new RouteAndComplete { Endpoints = s, IndexBlocks = 100_000 }).ToArray();
        var least = new double[sizes.Length];
        Array.Fill(least, double.PositiveInfinity);
        var bytes = Array.ConvertAll(pools, BytesOf);
        for (var round = 0; round <= Rounds; round++)
        {
            for (var i = 0; i < pools.Length; i++)
            {
                var before = Environment.CpuUsage.UserTime;
                for (var turn = 0; turn < Turns; turn++) pools[i].Turn();
                // The first round compiles.
                if (round > 0) least[i] = Math.Min(least[i], (Environment.CpuUsage.UserTime - before).TotalMicroseconds / Turns);
            }
        }

        for (var i = 0; i < sizes.Length; i++) Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{sizes[i],6} endpoints: {least[i],7:0.00} µs per request, {bytes[i] / 1e6,6:0.00} MB"));
        return 0;
    }

    // The prefix index, which is as large in each of them, and the requests that it plays are part of it.
    private static long BytesOf(RouteAndComplete pool)
    {
        var before = GC.GetTotalMemory(forceFullCollection: true);
        pool.Setup();
        return GC.GetTotalMemory(forceFullCollection: true) - before;
    }
}
