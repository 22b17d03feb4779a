using Mesh.Core.Endpoints;

namespace Mesh.Core.Scheduling.Filters;

/// <summary>What filters by a measured value have in common. A value that is not known (NaN) neither keeps an endpoint out nor sets the measure.</summary>
internal static class Keeping
{
    /// <summary>
    /// Values of the candidates are in <paramref name="values"/>; keeps those of at most <paramref name="limit"/> and the unknown ones. Everyone stays when nobody would.
    /// </summary>
    public static int AtMost(Span<EndpointState> candidates, ReadOnlySpan<double> values, double limit)
    {
        var kept = 0;
        for (var i = 0; i < candidates.Length; i++)
        {
            // False for NaN: who does not tell is not left out.
            if (values[i] > limit) continue;
            if (kept != i) candidates[kept] = candidates[i];
            kept++;
        }

        // Nobody was moved.
        return kept == 0 ? candidates.Length : kept;
    }

    /// <summary>The limit of the lowest part of the range: <c>min + (max − min) / candidates</c>; infinite when nothing is known.</summary>
    public static double LowestPart(ReadOnlySpan<double> values)
    {
        var (least, most) = (double.PositiveInfinity, double.NegativeInfinity);
        foreach (var value in values)
        {
            if (value < least) least = value;
            if (value > most) most = value;
        }

        return most < least ? double.PositiveInfinity : least + ((most - least) / values.Length);
    }
}
