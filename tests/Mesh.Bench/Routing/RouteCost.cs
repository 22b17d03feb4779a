using System.Globalization;

namespace Mesh.Bench.Routing;

/// <summary>
/// Processor time of <see cref="RouteAndComplete"/> by the size of the pool and the kind of request: on a machine that others use, the clock on the wall says
/// little. The pools take turns, and the least of the rounds counts.
/// </summary>
internal static class RouteCost
{
    private const int Rounds = 7;
    private const double RoundMicroseconds = 150_000;
    private const int MostTurns = 40_000;

    /// <summary>Measures and prints a table: a row per size, a column per kind.</summary>
    /// <param name="args">First <c>target</c> for pools under a policy; then names of kinds, all where none is given; then endpoints of each pool, 8 to 10,000 where none are given.</param>
    public static int Run(string[] args)
    {
        var hasTarget = args is ["target", ..];
        if (hasTarget) args = args[1..];
        var names = Array.FindAll(args, a => !char.IsAsciiDigit(a[0]));
        var numbers = Array.FindAll(args, a => char.IsAsciiDigit(a[0]));
        var kinds = names.Length == 0 ? Enum.GetValues<PlacementKind>() : Array.ConvertAll(names, n => Enum.Parse<PlacementKind>(n, ignoreCase: true));
        int[] sizes = numbers.Length == 0 ? [8, 100, 1000, 10_000] : Array.ConvertAll(numbers, a => int.Parse(a, CultureInfo.InvariantCulture));
        Console.WriteLine($"| endpoints | {string.Join(" | ", kinds)} | memory |");
        Console.WriteLine($"|---|{string.Concat(Enumerable.Repeat("---|", kinds.Length + 1))}");
        foreach (var size in sizes)
        {
            var measured = Array.ConvertAll(kinds, k => new Measured(new RouteAndComplete { Endpoints = size, IndexBlocks = IndexBlocks(k), HasTarget = hasTarget, Kind = k }));
            for (var round = 0; round < Rounds; round++)
            {
                foreach (var each in measured) each.Play();
            }

            var cells = Array.ConvertAll(measured, m => m.Microseconds.ToString("0.00", CultureInfo.InvariantCulture));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {size} | {string.Join(" | ", cells)} | {measured[0].Bytes / 1e6:0.00} MB |"));
        }

        return 0;
    }

    // A place of a prompt takes a bit of each feed's: fewer prompts are known where the endpoints tell of them.
    private static int IndexBlocks(PlacementKind kind) => kind == PlacementKind.Events ? 10_000 : 100_000;

    /// <summary>One pool, what it takes to place a request there, and its memory: the prefix index and the requests that it plays are part of it.</summary>
    private sealed class Measured
    {
        private readonly RouteAndComplete _pool;
        private readonly int _turns;

        public Measured(RouteAndComplete pool)
        {
            var before = GC.GetTotalMemory(forceFullCollection: true);
            _pool = pool;
            _pool.Setup();
            Bytes = GC.GetTotalMemory(forceFullCollection: true) - before;
            // What compiles is slow: the second time tells how many turns a round takes.
            Cost(2000);
            _turns = (int)Math.Clamp(RoundMicroseconds / Math.Max(0.1, Cost(500)), 500, MostTurns);
            Cost(_turns);
        }

        public long Bytes { get; }

        public double Microseconds { get; private set; } = double.PositiveInfinity;

        public void Play() => Microseconds = Math.Min(Microseconds, Cost(_turns));

        private double Cost(int turns)
        {
            var before = Environment.CpuUsage.UserTime;
            for (var turn = 0; turn < turns; turn++) _pool.Turn();
            return (Environment.CpuUsage.UserTime - before).TotalMicroseconds / turns;
        }
    }
}
