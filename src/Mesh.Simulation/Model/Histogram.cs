namespace Mesh.Simulation.Model;

/// <summary>Counts of observations by upper bound, as a Prometheus histogram has them. Not thread-safe.</summary>
public sealed class Histogram
{
    private readonly double[] _bounds;
    private readonly long[] _counts;

    internal Histogram(double[] bounds)
    {
        _bounds = bounds;
        _counts = new long[bounds.Length + 1];
    }

    /// <summary>Upper bounds of the buckets, inclusive, rising; one more bucket without bound follows.</summary>
    public ReadOnlySpan<double> Bounds => _bounds;

    /// <summary>Observations in each bucket alone, the one without bound last.</summary>
    public ReadOnlySpan<long> Counts => _counts;

    /// <summary>Observations in all.</summary>
    public long Count { get; private set; }

    /// <summary>Sum of the observed values.</summary>
    public double Sum { get; private set; }

    internal void Observe(double value, long times = 1)
    {
        var low = 0;
        var high = _bounds.Length;
        while (low < high)
        {
            var middle = (low + high) >> 1;
            if (value <= _bounds[middle]) high = middle;
            else low = middle + 1;
        }

        _counts[low] += times;
        Count += times;
        Sum += value * times;
    }

    /// <summary>1, 2, 5, 10, 20, 50, … up to <paramref name="most"/>.</summary>
    internal static double[] OneTwoFive(int most)
    {
        List<double> bounds = [];
        for (long power = 1; power <= most; power *= 10)
        {
            foreach (var step in (ReadOnlySpan<int>)[1, 2, 5])
            {
                if (power * step <= most) bounds.Add(power * step);
            }
        }

        return [.. bounds];
    }
}
