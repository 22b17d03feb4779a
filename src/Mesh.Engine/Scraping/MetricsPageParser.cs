using System.Collections.Immutable;
using System.Runtime.CompilerServices;
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
    private readonly NameTable _names;
    private readonly bool[] _counts;
    private readonly GaugeAccumulator[] _gauges;
    private readonly (string ExportName, int Gauge)[] _exports;
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
            VllmMetricNames.PrefixQueries,
            VllmMetricNames.PrefixHits,
            VllmMetricNames.PrefillSeconds,
            VllmMetricNames.PrefillRequests,
            VllmMetricNames.EndedPromptTokens,
            VllmMetricNames.InterTokenSeconds,
            VllmMetricNames.InterTokenPauses,
            VllmMetricNames.InterTokenSecondsOld,
            VllmMetricNames.InterTokenPausesOld,
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

        _names = new NameTable(names);
        _counts = [.. names.Select(VllmMetricNames.IsCount)];
        _gauges = new GaugeAccumulator[names.Count];
        _exports = [.. exported];
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

    /// <summary>Prompt tokens looked up in the prefix caches so far; null when unknown.</summary>
    public double? PrefixQueries => _gauges[FirstGauge + 8].Sum;

    /// <summary>Prompt tokens found in the prefix caches so far; null when unknown.</summary>
    public double? PrefixHits => _gauges[FirstGauge + 9].Sum;

    /// <summary>Seconds of prefill, requests, and their prompt tokens so far; null when one is unknown.</summary>
    public (double Seconds, double Requests, double Tokens)? Prefills =>
        _gauges[FirstGauge + 10].Sum is { } seconds && _gauges[FirstGauge + 11].Sum is { } requests && _gauges[FirstGauge + 12].Sum is { } tokens
            ? (seconds, requests, tokens)
            : null;

    /// <summary>Seconds between tokens, and pauses so far, under the new name or else the old one; null when one is unknown.</summary>
    public (double Seconds, double Pauses)? InterToken => Histogram(FirstGauge + 13) ?? Histogram(FirstGauge + 15);

    /// <summary>
    /// A number over everything that was wanted of the page: another one when anything has changed. Two pages that differ have the same one
    /// once in 2^64 times.
    /// </summary>
    public ulong Fingerprint
    {
        get
        {
            var hash = _adapters.Fingerprint;
            foreach (ref readonly var gauge in _gauges.AsSpan()) hash = gauge.AddTo(hash);
            return hash;
        }
    }

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
        if (name.IsEmpty) return;
        var number = _names.Find(name);
        if (number >= 0) Take(page, number, line[name.Length..]);
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

    private (double Sum, double Count)? Histogram(int gauge) =>
        _gauges[gauge].Sum is { } sum && _gauges[gauge + 1].Sum is { } count ? (sum, count) : null;

    // Rounding in the server may put a full cache a hair above 1; more than that is not a share.
    private static double? Share(double? value) => value is >= 0 and <= 1.000001 ? Math.Min(value.Value, 1) : null;

    private static int? Count(double? value) => value <= int.MaxValue ? (int)Math.Round(value.Value) : null;
}
