using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Mesh.Engine.Telemetry;

namespace Mesh.Gateway.Metrics;

/// <summary>
/// Writes Prometheus' text exposition format 0.0.4, one metric at a time: its help, its type, then all its series. Bounded: a metric with more
/// series than <see cref="MaxSeries"/> ends there, and a comment says so.
/// </summary>
internal sealed class PrometheusWriter(IBufferWriter<byte> page) : IMetricSink
{
    /// <summary>Content type of the page.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    /// <summary>Most series of one metric on the page.</summary>
    public const int MaxSeries = 20_000;

    private MetricDefinition _metric = null!;
    private int _series;

    /// <summary>Writes one metric; one without series leaves no trace but its help and type.</summary>
    public void Write(IMetricSource source, Reading reading)
    {
        _metric = source.Definition;
        _series = 0;
        var name = _metric.PageName!;
        Text("# HELP ", name, " ");
        Escaped(_metric.Meaning, isLabel: false);
        Text("\n# TYPE ", name, TypeOf(_metric.Kind));
        source.Collect(reading, this);
        if (_series > MaxSeries) Text("# ", name, " has more series than a page holds; the rest is left out\n");
    }

    public void Sample(ReadOnlySpan<string> values, double value)
    {
        if (++_series > MaxSeries) return;
        Line("", values, null, value);
    }

    public void Distribution(ReadOnlySpan<string> values, Histogram histogram)
    {
        if (++_series > MaxSeries) return;
        var bounds = histogram.BoundsSeconds;
        long total = 0;
        for (var bucket = 0; bucket <= bounds.Length; bucket++)
        {
            total += histogram.CountIn(bucket);
            Line("_bucket", values, bucket < bounds.Length ? bounds[bucket] : double.PositiveInfinity, total);
        }

        Line("_sum", values, null, histogram.Sum.TotalSeconds);
        Line("_count", values, null, total);
    }

    private static string TypeOf(MetricKind kind) => kind switch
    {
        MetricKind.Counter => " counter\n",
        MetricKind.Histogram => " histogram\n",
        _ => " gauge\n",
    };

    private void Line(string suffix, ReadOnlySpan<string> values, double? bucketBound, double value)
    {
        Text(_metric.PageName!, suffix, "");
        Labels(_metric.Labels, values, bucketBound);
        Text(" ", "", "");
        Number(value);
        Text("\n", "", "");
    }

    private void Labels(ImmutableArray<MetricLabel> labels, ReadOnlySpan<string> values, double? bucketBound)
    {
        if (labels.IsEmpty && bucketBound is null) return;
        for (var i = 0; i < labels.Length; i++)
        {
            Text(i == 0 ? "{" : ",", labels[i].PageName, "=\"");
            Escaped(values[i], isLabel: true);
            Text("\"", "", "");
        }

        if (bucketBound is { } bound)
        {
            Text(labels.IsEmpty ? "{" : ",", "le=\"", "");
            Number(bound);
            Text("\"", "", "");
        }

        Text("}", "", "");
    }

    private void Number(double value)
    {
        if (double.IsInfinity(value))
        {
            Text(value > 0 ? "+Inf" : "-Inf", "", "");
            return;
        }

        var span = page.GetSpan(32);
        // The longest double has 24 characters.
        value.TryFormat(span, out var written, "R", CultureInfo.InvariantCulture);
        page.Advance(written);
    }

    private void Escaped(string value, bool isLabel)
    {
        var rest = value.AsSpan();
        while (!rest.IsEmpty)
        {
            var at = isLabel ? rest.IndexOfAny('\\', '"', '\n') : rest.IndexOfAny('\\', '\n');
            if (at < 0) break;
            Text(rest[..at]);
            Text(rest[at] switch { '\\' => @"\\", '"' => "\\\"", _ => @"\n" });
            rest = rest[(at + 1)..];
        }

        Text(rest);
    }

    private void Text(string first, string second, string third)
    {
        Text(first);
        Text(second);
        Text(third);
    }

    private void Text(ReadOnlySpan<char> text)
    {
        if (!text.IsEmpty) Encoding.UTF8.GetBytes(text, page);
    }
}
