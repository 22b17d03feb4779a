namespace Mesh.Core.Scheduling.Scorers;

/// <summary>
/// Turns loads into scores relative to the least loaded: <c>score = (min + slack) / (x + slack)</c>. The least loaded scores 1, one with twice
/// as much about 0.5. Unlike a scale from least to most, a single overloaded candidate does not blur the differences among the others.
/// </summary>
internal static class RelativeLoad
{
    /// <summary>Replaces loads (at least 0, NaN for unknown) by scores in (0, 1]. The slack, above 0, is the load that counts as next to nothing.</summary>
    public static void ToScores(Span<double> values, double slack)
    {
        var least = double.PositiveInfinity;
        foreach (var value in values)
        {
            // False for NaN: an unknown load is not the least.
            if (value < least) least = value;
        }

        foreach (ref var value in values) value = (least + slack) / (value + slack);
    }
}
