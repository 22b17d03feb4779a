using System.Collections.Immutable;
using System.Text;
using Mesh.Core.Config;

namespace Mesh.Engine.Scraping;

/// <summary>
/// Reads the wanted gauges from a page of metrics: walks the text once, line by line, and looks closer only at lines whose name is wanted.
/// A last line without its line feed is passed over, for a page that was cut there would read 1 where 12 stood. Not thread-safe: it keeps
/// the sums of the page that it read last.
/// </summary>
internal sealed class MetricsPageParser
{
    private readonly byte[][] _names;
    private readonly bool[] _counts;
    private readonly GaugeAccumulator[] _gauges;
    private readonly (string ExportName, int Gauge)[] _exports;

    /// <param name="exports">Gauges to read besides vLLM's own, and the names under which they are exported.</param>
    public MetricsPageParser(ImmutableArray<MetricExportConfig> exports)
    {
        List<string> names =
            [VllmMetricNames.KvCacheUsage, VllmMetricNames.KvCacheUsageOld, VllmMetricNames.RunningRequests, VllmMetricNames.WaitingRequests];
        var exported = new List<(string, int)>();
        foreach (var export in exports)
        {
            var gauge = names.IndexOf(export.MetricName);
            if (gauge < 0)
            {
                gauge = names.Count;
                names.Add(export.MetricName);
            }

            exported.Add((export.ExportName, gauge));
        }

        _names = [.. names.Select(Encoding.UTF8.GetBytes)];
        _counts = [.. names.Select(VllmMetricNames.IsCount)];
        _gauges = new GaugeAccumulator[_names.Length];
        _exports = [.. exported];
    }

    /// <summary>Share of KV-cache blocks in use, under the new name or else the old one; null when unknown.</summary>
    public double? KvUtilizationRatio => Share(_gauges[0].Mean) ?? Share(_gauges[1].Mean);

    /// <summary>Requests in the running batches; null when unknown.</summary>
    public int? RunningRequests => Count(_gauges[2].Sum);

    /// <summary>Requests in the engines' queues; null when unknown.</summary>
    public int? WaitingRequests => Count(_gauges[3].Sum);

    /// <summary>Reads a page; what an earlier one said is forgotten.</summary>
    public void Parse(ReadOnlySpan<byte> page)
    {
        Array.Clear(_gauges);
        while (true)
        {
            var end = page.IndexOf((byte)'\n');
            if (end < 0) return;
            ParseLine(page[..end]);
            page = page[(end + 1)..];
        }
    }

    /// <summary>Adds the exported gauges that are known. A name that is there already keeps its value.</summary>
    public void CopyExports(ImmutableSortedDictionary<string, double>.Builder into)
    {
        foreach (var (exportName, gauge) in _exports)
        {
            var value = _counts[gauge] ? _gauges[gauge].Sum : _gauges[gauge].Mean;
            if (value is { } known) into.TryAdd(exportName, known);
        }
    }

    private void ParseLine(ReadOnlySpan<byte> line)
    {
        var name = PrometheusLine.Name(line);
        if (name.IsEmpty) return;
        for (var i = 0; i < _names.Length; i++)
        {
            if (!name.SequenceEqual(_names[i])) continue;
            if (PrometheusLine.TryReadValue(line[name.Length..], out var value)) _gauges[i].Add(value);
            else _gauges[i].Break();
            return;
        }
    }

    // Rounding in the server may put a full cache a hair above 1; more than that is not a share.
    private static double? Share(double? value) => value is >= 0 and <= 1.000001 ? Math.Min(value.Value, 1) : null;

    private static int? Count(double? value) => value <= int.MaxValue ? (int)Math.Round(value.Value) : null;
}
