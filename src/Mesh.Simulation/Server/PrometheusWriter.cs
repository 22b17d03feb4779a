using System.Globalization;
using System.Text;
using Mesh.Simulation.Model;

namespace Mesh.Simulation.Server;

/// <summary>Writes the Prometheus text format as the Python client does: labels in alphabetical order, whole numbers with one decimal.</summary>
internal sealed class PrometheusWriter(PooledBuffer buffer)
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    public void Head(string name, string help, string type)
    {
        Text("# HELP ");
        Text(name);
        Text(" ");
        Text(help);
        Text("\n# TYPE ");
        Text(name);
        Text(" ");
        Text(type);
        Text("\n");
    }

    /// <summary>One sample; <paramref name="labels"/> without braces.</summary>
    public void Sample(string name, string labels, double value)
    {
        Text(name);
        if (labels.Length > 0)
        {
            Text("{");
            Text(labels);
            Text("}");
        }

        Text(" ");
        Number(value);
        Text("\n");
    }

    /// <summary>All samples of a histogram. The bound's label stands between <paramref name="before"/> and <paramref name="after"/>, where the alphabet puts it.</summary>
    public void Histogram(string name, string before, string after, Histogram histogram)
    {
        var bounds = histogram.Bounds;
        var counts = histogram.Counts;
        long sum = 0;
        for (var i = 0; i < counts.Length; i++)
        {
            sum += counts[i];
            Text(name);
            Text("_bucket{");
            Text(before);
            Text(",le=\"");
            if (i < bounds.Length) Number(bounds[i]);
            else Text("+Inf");
            Text("\",");
            Text(after);
            Text("} ");
            Number(sum);
            Text("\n");
        }

        var labels = $"{before},{after}";
        Sample($"{name}_count", labels, histogram.Count);
        Sample($"{name}_sum", labels, histogram.Sum);
    }

    /// <summary>A label value with the format's three escapes.</summary>
    public static string Escape(string value) => value.Replace("\\", "\\\\").Replace("\"", "\\\"").Replace("\n", "\\n");

    private void Text(string text) => buffer.Advance(Encoding.UTF8.GetBytes(text, buffer.GetSpan(Encoding.UTF8.GetMaxByteCount(text.Length))));

    private void Number(double value)
    {
        var span = buffer.GetSpan(40);
        value.TryFormat(span, out var written, "R", CultureInfo.InvariantCulture);
        if (span[..written].IndexOfAny(".EN"u8) < 0)
        {
            span[written++] = (byte)'.';
            span[written++] = (byte)'0';
        }

        buffer.Advance(written);
    }
}
