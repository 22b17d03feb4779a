using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Text;
using Mesh.Core.Config;

namespace Mesh.Engine.Scraping;

/// <summary>
/// Reads the wanted gauges, counters and labels from a page of metrics: walks the text once, line by line, and looks closer only at lines
/// whose name is wanted. A last line without its line feed is passed over, for a page that was cut there would read 1 where 12 stood. Not
/// thread-safe: it keeps the sums of the page that it read last. A page that says what the last one said allocates nothing.
/// </summary>
internal sealed class MetricsPageParser
{
    private const int CacheConfig = 0;
    private const int LoraRequests = 1;
    private const int SleepState = 2;
    private const int FirstGauge = 3;
    private readonly byte[][] _names;
    private readonly bool[] _counts;
    private readonly GaugeAccumulator[] _gauges;
    private readonly (string ExportName, int Gauge)[] _exports;
    private readonly ulong _lengths;
    private readonly AdapterReading _adapters = new();
    private CacheSize _cache;

    /// <param name="exports">Gauges to read besides vLLM's own, and the names under which they are exported.</param>
    public MetricsPageParser(ImmutableArray<MetricExportConfig> exports)
    {
        List<string> names =
        [
            VllmMetricNames.CacheConfig,
            VllmMetricNames.LoraRequests,
            VllmMetricNames.SleepState,
            VllmMetricNames.KvCacheUsage,
            VllmMetricNames.KvCacheUsageOld,
            VllmMetricNames.RunningRequests,
            VllmMetricNames.WaitingRequests,
            VllmMetricNames.ProcessStart,
            VllmMetricNames.PromptTokens,
            VllmMetricNames.GenerationTokens,
            VllmMetricNames.FinishedRequests,
        ];
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
        foreach (var name in _names) _lengths |= LengthBit(name);
    }

    /// <summary>Share of KV-cache blocks in use, under the new name or else the old one; null when unknown.</summary>
    public double? KvUtilizationRatio => Share(_gauges[FirstGauge].Mean) ?? Share(_gauges[FirstGauge + 1].Mean);

    /// <summary>Requests in the running batches; null when unknown.</summary>
    public int? RunningRequests => Count(_gauges[FirstGauge + 2].Sum);

    /// <summary>Requests in the engines' queues; null when unknown.</summary>
    public int? WaitingRequests => Count(_gauges[FirstGauge + 3].Sum);

    /// <summary>Start of the server's process, seconds since the Unix epoch; null when unknown.</summary>
    public double? ProcessStart => _gauges[FirstGauge + 4].Mean;

    /// <summary>Prompt tokens counted so far; null when unknown.</summary>
    public double? PromptTokens => _gauges[FirstGauge + 5].Sum;

    /// <summary>Tokens generated so far; null when unknown.</summary>
    public double? GenerationTokens => _gauges[FirstGauge + 6].Sum;

    /// <summary>Requests ended so far; null when unknown.</summary>
    public double? FinishedRequests => _gauges[FirstGauge + 7].Sum;

    /// <summary>Tokens that the engines' KV caches hold; null when unknown.</summary>
    public long? KvCapacityTokens => _cache.Tokens;

    /// <summary>True when an engine says that it is not awake.</summary>
    public bool IsAsleep { get; private set; }

    /// <summary>LoRA adapters that one batch can hold; null when unknown.</summary>
    public int? MaxLoras => _adapters.Max;

    /// <summary>Adapters with running requests; the same array as long as the page says the same.</summary>
    public ImmutableArray<string> RunningAdapters => _adapters.Running;

    /// <summary>Adapters with waiting requests; the same array as long as the page says the same.</summary>
    public ImmutableArray<string> WaitingAdapters => _adapters.Waiting;

    /// <summary>True when the policy names gauges of this page.</summary>
    public bool HasExports => _exports.Length > 0;

    /// <summary>Reads a page; what an earlier one said is forgotten.</summary>
    public void Parse(ReadOnlySpan<byte> page)
    {
        Array.Clear(_gauges);
        _cache = default;
        IsAsleep = false;
        _adapters.Begin();
        var rest = page;
        while (true)
        {
            var end = rest.IndexOf((byte)'\n');
            if (end < 0) break;
            ParseLine(page, rest[..end]);
            rest = rest[(end + 1)..];
        }

        _adapters.End(page);
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

    private void ParseLine(ReadOnlySpan<byte> page, ReadOnlySpan<byte> line)
    {
        var name = PrometheusLine.Name(line);
        // Nine lines in ten end here: no wanted name is as long as theirs.
        if (name.IsEmpty || (_lengths & LengthBit(name)) == 0) return;
        for (var i = 0; i < _names.Length; i++)
        {
            if (!name.SequenceEqual(_names[i])) continue;
            Take(page, i, line[name.Length..]);
            return;
        }
    }

    private void Take(ReadOnlySpan<byte> page, int name, ReadOnlySpan<byte> afterName)
    {
        var isNumber = PrometheusLine.TryReadValue(afterName, out var value);
        if (isNumber) _gauges[name].Add(value);
        else _gauges[name].Break();
        if (name >= FirstGauge || !isNumber) return;

        var labels = PrometheusLine.Labels(afterName);
        switch (name)
        {
            case CacheConfig:
                _cache.Add(labels);
                break;
            case LoraRequests when !labels.IsEmpty:
                var start = (int)Unsafe.ByteOffset(in page[0], in labels[0]);
                _adapters.Add(start, start + labels.Length, value);
                break;
            case SleepState when SaysAsleep(labels, value):
                IsAsleep = true;
                break;
        }
    }

    private static bool SaysAsleep(ReadOnlySpan<byte> text, double value)
    {
        var labels = new PrometheusLabels(text);
        while (labels.MoveNext())
        {
            if (labels.Name.SequenceEqual("sleep_state"u8)) return labels.Value.SequenceEqual("awake"u8) ? value == 0 : value == 1;
        }

        return false;
    }

    private static ulong LengthBit(ReadOnlySpan<byte> name) => 1UL << (name.Length & 63);

    // Rounding in the server may put a full cache a hair above 1; more than that is not a share.
    private static double? Share(double? value) => value is >= 0 and <= 1.000001 ? Math.Min(value.Value, 1) : null;

    private static int? Count(double? value) => value <= int.MaxValue ? (int)Math.Round(value.Value) : null;
}
