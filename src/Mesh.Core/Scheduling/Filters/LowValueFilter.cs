using Mesh.Core.Endpoints;
using Mesh.Core.Metrics;
using Mesh.Core.Routing;

namespace Mesh.Core.Scheduling.Filters;

/// <summary>
/// Keeps the endpoints of which a measured value is low. A value that is not known (NaN) neither keeps an endpoint out nor sets the measure; everyone
/// stays when nobody would.
/// </summary>
internal abstract class LowValueFilter(string name) : IEndpointFilter
{
    private double[] _values = [];

    public string Name => name;

    public DecisionReason WhenEmpty => DecisionReason.NoReadyEndpoint;

    public int Filter(in SchedulingContext context, Span<EndpointState> candidates)
    {
        if (_values.Length < candidates.Length) _values = new double[Math.Max(16, candidates.Length)];
        var freshness = context.Freshness;
        var values = _values.AsSpan(0, candidates.Length);
        for (var i = 0; i < values.Length; i++) values[i] = ValueOf(candidates[i], freshness);
        return Keep(candidates, values, Limit(values));
    }

    /// <summary>The value; NaN when it is not known.</summary>
    protected abstract double ValueOf(EndpointState endpoint, SampleFreshness freshness);

    /// <summary>The highest value that passes.</summary>
    /// <param name="values">Those of all candidates.</param>
    protected abstract double Limit(ReadOnlySpan<double> values);

    /// <summary>The limit of the lowest part of the range: <c>min + (max − min) / candidates</c>; infinite when nothing is known.</summary>
    protected static double LowestPart(ReadOnlySpan<double> values)
    {
        var (least, most) = (double.PositiveInfinity, double.NegativeInfinity);
        foreach (var value in values)
        {
            if (value < least) least = value;
            if (value > most) most = value;
        }

        return most < least ? double.PositiveInfinity : least + ((most - least) / values.Length);
    }

    private static int Keep(Span<EndpointState> candidates, ReadOnlySpan<double> values, double limit)
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
}
