using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Reading;

namespace Mesh.Resources.Types;

/// <summary>Which gauges of which pods are exported under which names. Two shapes: by endpoints (old) and by metrics (new).</summary>
internal sealed record AutoscalingMetric(ResourceHeader Header) : Resource(Header)
{
    public const string DefaultPath = "/metrics";

    public static KindDefinition Kind { get; } = new("AutoscalingMetric", ["autoscaling.gke.io/v1beta1"], Read);

    public ImmutableArray<MetricSource> Sources { get; private init; } = [];

    private static AutoscalingMetric Read(ResourceHeader header, ObjectReader root) => root.Object("spec", spec =>
    {
        var hasNew = spec.Has("metrics");
        if (hasNew && (spec.Has("endpoints") || spec.Has("selector")))
        {
            spec.Report.Error(
                spec.SpotOf(spec.Has("endpoints") ? "endpoints" : "selector"), DiagnosticCodes.MixedShapes,
                "spec.metrics belongs to the new shape, spec.selector and spec.endpoints to the old one", "use one of the two");
        }

        return new AutoscalingMetric(header) { Sources = hasNew ? New(spec) : Old(spec) };
    }, required: true) ?? new AutoscalingMetric(header);

    private static ImmutableArray<MetricSource> Old(ObjectReader spec)
    {
        spec.Ignore("metrics");
        var selector = spec.Object("selector", s => s.Map("matchLabels", min: 1, required: true), required: true);
        var pages = spec.List("endpoints", e =>
        {
            var (port, path) = Endpoint(e);
            var exports = e.List("metrics", m =>
            {
                var export = m.String("exportName");
                return m.String("name", required: true) is { } name ? Export(name, export ?? name, true, m.Report) : null;
            }, min: 1, required: true);
            return port is null ? null : new MetricsPageConfig(port.Value, path, exports);
        }, min: 1, required: true);
        return selector is null ? [] : [new MetricSource(selector.Value, pages, spec.At)];
    }

    private static ImmutableArray<MetricSource> New(ObjectReader spec)
    {
        spec.Ignore("selector", "endpoints");
        return spec.List("metrics", m =>
        {
            if (m.Has("promql"))
            {
                m.Ignore("promql", "pod");
                m.Report.Warning(
                    m.SpotOf("promql"), DiagnosticCodes.NoCounterpart,
                    "Metrics by PromQL query are not scraped from pods and have no effect in the mesh");
                return null;
            }

            return m.Object("pod", Pod, required: true);
        }, min: 1, required: true);
    }

    private static MetricSource? Pod(ObjectReader pod)
    {
        var selector = pod.Object("selector", s => s.Map("matchLabels", min: 1, required: true), required: true);
        var pages = pod.List("containers", c =>
        {
            c.Ignore("container", "name");
            Located<int>? port = null;
            var path = DefaultPath;
            c.Object("endpoint", e =>
            {
                (port, path) = Endpoint(e);
                return e;
            }, required: true);
            var exports = c.List("metrics", m => m.Object("gauge", Gauge, required: true), min: 1, required: true);
            return port is null ? null : new MetricsPageConfig(port.Value, path, exports);
        }, min: 1, required: true);
        return selector is null ? null : new MetricSource(selector.Value, pages, pod.At);
    }

    private static MetricExportConfig? Gauge(ObjectReader g)
    {
        var name = g.String("name", required: true);
        var page = g.String("prometheusMetricName") ?? name;

        // Without the block a gauge of the new shape is for autoscaling alone.
        var balancing = false;
        g.Object("loadBalancing", l =>
        {
            balancing = l.Bool("enabled")?.Value ?? false;
            return l;
        });
        return name is null || page is null ? null : Export(page, name, balancing, g.Report);
    }

    private static (Located<int>? Port, string Path) Endpoint(ObjectReader e)
    {
        var path = e.String("path");
        if (path is not null && path.Value[0] != '/')
            e.Report.Error(
                path.At, DiagnosticCodes.WrongFormat, $"{path.At.Path} is {path.Value}; a path begins with /", $"write /{path.Value}");
        return (e.Int("port", 1, 65535, required: true), path?.Value ?? DefaultPath);
    }

    private static MetricExportConfig Export(Located<string> metric, Located<string> export, bool forLoadBalancing, DiagnosticBag report)
    {
        if (export.Value.Length > 63 || export != metric && !KubernetesNames.IsHeaderName(export.Value))
            report.Error(
                export.At, DiagnosticCodes.WrongFormat, $"{export.Value} is no valid export name",
                "use at most 63 letters, digits, - _ and .");
        return new MetricExportConfig(metric.Value, export.Value) { ForLoadBalancing = forLoadBalancing };
    }
}

/// <summary>Pages of the pods that a selector takes.</summary>
internal sealed record MetricSource(ImmutableSortedDictionary<string, string> Selector, ImmutableArray<MetricsPageConfig> Pages, Spot At);
