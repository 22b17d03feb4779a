using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Mesh.Gateway.Metrics;

/// <summary>Writes Prometheus' text exposition format 0.0.4. One metric at a time: its help, its type, then all its series.</summary>
internal sealed class PrometheusWriter
{
    /// <summary>Content type of the page.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly StringBuilder _page = new(4096);

    public override string ToString() => _page.ToString();

    public void Write(MetricFamily<Counter> family)
    {
        Head(family.Name, family.Help, "counter");
        foreach (var (values, series) in family.Sorted())
        {
            Sample(family.Name, family.Labels, [values.First, values.Second, values.Third], series.Value);
        }
    }

    public void Write(MetricFamily<Histogram> family)
    {
        Head(family.Name, family.Help, "histogram");
        foreach (var (values, series) in family.Sorted()) WriteHistogram(family, [values.First, values.Second, values.Third], series);
    }

    /// <summary>Starts a gauge, whose series follow.</summary>
    public void Gauge(string name, string help) => Head(name, help, "gauge");

    /// <summary>Starts a counter, whose series follow.</summary>
    public void Counter(string name, string help) => Head(name, help, "counter");

    /// <summary>One series of the metric started last.</summary>
    public void Sample(string name, ReadOnlySpan<string> labels, ReadOnlySpan<string> values, double value)
    {
        _page.Append(name);
        Labels(labels, values, null);
        _page.Append(' ').Append(value.ToString("R", CultureInfo.InvariantCulture)).Append('\n');
    }

    private void Sample(string name, ImmutableArray<string> labels, ReadOnlySpan<string> values, double value) =>
        Sample(name, labels.AsSpan(), values, value);

    private void WriteHistogram(MetricFamily<Histogram> family, ReadOnlySpan<string> values, Histogram series)
    {
        long total = 0;
        for (var bucket = 0; bucket <= series.BoundsSeconds.Length; bucket++)
        {
            total += series.CountIn(bucket);
            var bound = bucket < series.BoundsSeconds.Length ? series.BoundsSeconds[bucket].ToString("R", CultureInfo.InvariantCulture) : "+Inf";
            _page.Append(family.Name).Append("_bucket");
            Labels(family.Labels.AsSpan(), values, bound);
            _page.Append(' ').Append(total).Append('\n');
        }

        Sample(family.Name + "_sum", family.Labels, values, series.Sum.TotalSeconds);
        Sample(family.Name + "_count", family.Labels, values, total);
    }

    private void Head(string name, string help, string type) =>
        _page.Append("# HELP ").Append(name).Append(' ').Append(help).Append('\n').Append("# TYPE ").Append(name).Append(' ').Append(type).Append('\n');

    private void Labels(ReadOnlySpan<string> names, ReadOnlySpan<string> values, string? bucketBound)
    {
        if (names.IsEmpty && bucketBound is null) return;
        _page.Append('{');
        for (var i = 0; i < names.Length; i++)
        {
            if (i > 0) _page.Append(',');
            Label(names[i], values[i]);
        }

        if (bucketBound is not null)
        {
            if (!names.IsEmpty) _page.Append(',');
            Label("le", bucketBound);
        }

        _page.Append('}');
    }

    private void Label(string name, string value)
    {
        _page.Append(name).Append("=\"");
        foreach (var c in value)
        {
            _ = c switch
            {
                '\\' => _page.Append(@"\\"),
                '"' => _page.Append("\\\""),
                '\n' => _page.Append(@"\n"),
                _ => _page.Append(c),
            };
        }

        _page.Append('"');
    }
}
