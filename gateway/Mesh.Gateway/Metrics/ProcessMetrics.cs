using System.Collections.Immutable;
using System.Diagnostics;
using System.Reflection;
using Mesh.Engine.Telemetry;
using Mesh.Gateway.Hosting;

namespace Mesh.Gateway.Metrics;

/// <summary>What the process tells of itself.</summary>
internal static class ProcessMetrics
{
    private static readonly string Version =
        typeof(ProcessMetrics).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0.0.0";

    private static readonly MetricDefinition ConfigVersion = Gauge("mesh_config_version", "mesh.config.version", "1", "Version of the configuration in force.");
    private static readonly MetricDefinition OpenRequests = Gauge("mesh_open_requests", "mesh.open_requests", "{request}", "Inference requests under way in this gateway, waiting ones included.");
    private static readonly MetricDefinition Overflows = new()
    {
        PageName = "mesh_metric_overflows_total",
        MeterName = "mesh.metric.overflows",
        Kind = MetricKind.Counter,
        Unit = "1",
        Meaning = "Times that a metric had no room for another combination of label values and counted under other.",
        Labels = [new("metric", "mesh.metric")],
    };

    private static readonly MetricDefinition Build = Gauge("mesh_build_info", null, "1", "1; the labels tell version and region of this gateway.", new("version", "service.version"), new("region", "mesh.region"));
    private static readonly MetricDefinition Started = Gauge("process_start_time_seconds", null, "s", "When the process began, in seconds since the Unix epoch.");
    private static readonly MetricDefinition Memory = Gauge("process_resident_memory_bytes", null, "By", "Memory of the process that is in RAM.");
    private static readonly MetricDefinition Cpu = new()
    {
        PageName = "process_cpu_seconds_total", Kind = MetricKind.Counter, Unit = "s", Meaning = "Processor time of the process, user and system.",
    };

    /// <summary>All of them, in the order of the page.</summary>
    public static ImmutableArray<MetricDefinition> All { get; } = [ConfigVersion, OpenRequests, Overflows, Build, Started, Memory, Cpu];

    /// <summary>The sources of one gateway.</summary>
    /// <param name="configuration">Configuration in force.</param>
    /// <param name="open">Requests under way.</param>
    /// <param name="bounded">Metrics that may overflow.</param>
    public static ImmutableArray<IMetricSource> For(ActiveConfiguration configuration, Func<int> open, ImmutableArray<IMetricSource> bounded) =>
    [
        new ObservedMetric(ConfigVersion, (_, sink) => sink.Sample([], configuration.Current.Config.Version)),
        new ObservedMetric(OpenRequests, (_, sink) => sink.Sample([], open())),
        new ObservedMetric(Overflows, (_, sink) => CollectOverflows(bounded, sink)),
        new ObservedMetric(Build, (_, sink) => sink.Sample([Version, configuration.Current.Region], 1)),
        new ObservedMetric(Started, static (_, sink) => Process(sink, static p => new DateTimeOffset(p.StartTime.ToUniversalTime()).ToUnixTimeMilliseconds() / 1000.0)),
        new ObservedMetric(Memory, static (_, sink) => Process(sink, static p => p.WorkingSet64)),
        new ObservedMetric(Cpu, static (_, sink) => sink.Sample([], Environment.CpuUsage.TotalTime.TotalSeconds)),
    ];

    private static void CollectOverflows(ImmutableArray<IMetricSource> bounded, IMetricSink sink)
    {
        foreach (var source in bounded)
        {
            if (source is IOverflowing full) sink.Sample([full.Definition.PageName!], full.Overflows);
        }
    }

    private static void Process(IMetricSink sink, Func<Process, double> read)
    {
        using var process = System.Diagnostics.Process.GetCurrentProcess();
        sink.Sample([], read(process));
    }

    private static MetricDefinition Gauge(string page, string? meter, string unit, string meaning, params ImmutableArray<MetricLabel> labels) =>
        new() { PageName = page, MeterName = meter, Kind = MetricKind.Gauge, Unit = unit, Meaning = meaning, Labels = labels };
}
