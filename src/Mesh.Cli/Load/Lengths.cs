using System.Globalization;
using Mesh.Core.Randomness;
using Mesh.Simulation.Traces;

namespace Mesh.Cli.Load;

/// <summary>A distribution of token counts: <c>N</c> always the same, <c>A..B</c> uniform with both ends, <c>exp:MEAN</c> exponential, cut to 1–16 times the mean.</summary>
internal readonly record struct Lengths
{
    private const int Most = 1 << 20;

    private readonly int _from;
    private readonly int _to;
    private readonly int _mean;

    private Lengths(int from, int to, int mean) => (_from, _to, _mean) = (from, to, mean);

    /// <summary>Mean of an exponential one; null for the others.</summary>
    public int? ExponentialMean => _mean > 0 ? _mean : null;

    /// <summary>Reads one of the three forms.</summary>
    public static bool TryParse(string text, out Lengths lengths)
    {
        lengths = default;
        if (text.StartsWith("exp:", StringComparison.Ordinal))
        {
            if (!Number(text[4..], out var mean)) return false;
            lengths = new Lengths(0, 0, mean);
            return true;
        }

        var dots = text.IndexOf("..", StringComparison.Ordinal);
        if (!Number(dots < 0 ? text : text[..dots], out var from)) return false;
        var to = from;
        if (dots >= 0 && (!Number(text[(dots + 2)..], out to) || to < from)) return false;
        lengths = new Lengths(from, to, 0);
        return true;
    }

    /// <summary>Draws one; at least 1.</summary>
    public int Draw(Xoshiro256 random)
    {
        if (_mean > 0) return Draws.Exponential(random, _mean, 1, _mean > Most / 16 ? Most : 16 * _mean);
        return _to == _from ? _from : _from + random.NextInt32(_to - _from + 1);
    }

    private static bool Number(string text, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number is >= 1 and <= Most;
}
