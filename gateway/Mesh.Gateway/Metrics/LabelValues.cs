namespace Mesh.Gateway.Metrics;

/// <summary>Values of a metric's labels, in their order; those beyond the metric's labels are empty.</summary>
internal readonly record struct LabelValues(string First, string Second, string Third, string Fourth) : IComparable<LabelValues>
{
    /// <summary>Most labels of a metric that is kept by label values.</summary>
    public const int Max = 4;

    public int CompareTo(LabelValues other)
    {
        var c = string.CompareOrdinal(First, other.First);
        if (c == 0) c = string.CompareOrdinal(Second, other.Second);
        if (c == 0) c = string.CompareOrdinal(Third, other.Third);
        return c == 0 ? string.CompareOrdinal(Fourth, other.Fourth) : c;
    }
}
