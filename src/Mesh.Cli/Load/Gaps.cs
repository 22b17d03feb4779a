using Mesh.Core.Randomness;
using Mesh.Simulation.Traces;

namespace Mesh.Cli.Load;

/// <summary>
/// Times between arrivals. Bursty ones are a mixture of two exponentials with balanced means (hyperexponential), which gives any standard
/// deviation from the mean upwards: most gaps are short, a few are long.
/// </summary>
internal sealed class Gaps(ArrivalPattern pattern, double meanMs, double burstiness, ulong seed)
{
    private readonly Xoshiro256 _random = new(seed);

    // Share of short gaps, from the squared coefficient of variation.
    private readonly double _short = (1 + Math.Sqrt(((burstiness * burstiness) - 1) / ((burstiness * burstiness) + 1))) / 2;

    public double NextMs()
    {
        if (pattern == ArrivalPattern.Uniform) return meanMs;
        if (pattern == ArrivalPattern.Poisson) return Draws.Exponential(_random, meanMs);
        var share = _random.NextDouble() < _short ? _short : 1 - _short;
        return Draws.Exponential(_random, meanMs / (2 * share));
    }
}
