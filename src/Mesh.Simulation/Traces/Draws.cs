using Mesh.Core.Randomness;

namespace Mesh.Simulation.Traces;

/// <summary>Random draws made of +, −, × and ÷ alone: library logarithms may differ from machine to machine.</summary>
internal static class Draws
{
    private const double Ln2 = 0.693147180559945309;

    /// <summary>Exponentially distributed with a mean.</summary>
    public static double Exponential(Xoshiro256 random, double mean) => -mean * NaturalLog(1 - random.NextDouble());

    /// <summary>Whole and exponentially distributed with a mean, cut to a range; the cuts move the mean.</summary>
    public static int Exponential(Xoshiro256 random, double mean, int least, int most) =>
        (int)Math.Clamp(Exponential(random, mean), least, most);

    /// <summary>ln x for a normal x above 0, to about 12 digits.</summary>
    public static double NaturalLog(double x)
    {
        var bits = BitConverter.DoubleToInt64Bits(x);
        var exponent = (int)((bits >> 52) & 0x7FF) - 1023;
        var mantissa = BitConverter.Int64BitsToDouble((bits & 0xFFFFFFFFFFFFF) | 0x3FF0000000000000);
        // ln m = 2·artanh((m − 1) / (m + 1)); the argument is at most 1/3.
        var s = (mantissa - 1) / (mantissa + 1);
        var square = s * s;
        var sum = 0.0;
        for (var k = 23; k >= 1; k -= 2) sum = (sum * square) + (1.0 / k);
        return (exponent * Ln2) + (2 * s * sum);
    }
}
