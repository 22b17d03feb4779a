namespace Mesh.Simulation.Reports;

/// <summary>Mean and percentiles of one figure, in ms; all 0 when there was nothing to measure.</summary>
/// <param name="Mean">Mean.</param>
/// <param name="P50">Median.</param>
/// <param name="P90">90th percentile.</param>
/// <param name="P99">99th percentile.</param>
internal readonly record struct Percentiles(double Mean, double P50, double P90, double P99)
{
    /// <summary>Sorts the values and reads the percentiles by nearest rank.</summary>
    public static Percentiles Of(List<double> values)
    {
        if (values.Count == 0) return default;
        values.Sort();
        var sum = 0.0;
        foreach (var value in values) sum += value;
        return new Percentiles(sum / values.Count, At(values, 50), At(values, 90), At(values, 99));
    }

    private static double At(List<double> sorted, int percent) => sorted[(int)((((long)sorted.Count * percent) + 99) / 100) - 1];
}
