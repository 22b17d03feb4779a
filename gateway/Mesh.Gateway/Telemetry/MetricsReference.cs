using System.Collections.Immutable;
using System.Text;
using Mesh.Engine.Telemetry;
using Mesh.Gateway.ExternalMetrics;
using Mesh.Gateway.Federation;
using Mesh.Gateway.Metrics;

namespace Mesh.Gateway.Telemetry;

/// <summary>The table of all metrics, made from their definitions.</summary>
internal static class MetricsReference
{
    /// <summary>Every metric, in the order of the page; those that only meters have come last.</summary>
    public static ImmutableArray<MetricDefinition> All { get; } =
    [
        .. ProcessMetrics.All, .. RequestMetricDefinitions.All, .. PoolMetrics.All.Select(s => s.Definition), .. EndpointMetrics.All.Select(s => s.Definition), ExternalMetricSource.Source.Definition,
        .. FederationMetrics.All, .. EngineInstruments.All, .. ConventionInstruments.All,
    ];

    /// <summary>The table in Markdown.</summary>
    public static string Render()
    {
        var page = new StringBuilder();
        page.Append("# Metrics\n\n");
        page.Append("Made from the definitions in code; a test fails when this file is stale and says how to make it anew.\n\n");
        page.Append("## The Prometheus page\n\n");
        page.Append("Meter `Mesh.Gateway` (`Mesh.Engine` for `mesh.engine.*`) has the same as the instrument in the last column; a dash means that only the page has it.\n\n");
        page.Append("| name | type | unit | labels | meaning | instrument |\n|---|---|---|---|---|---|\n");
        foreach (var metric in All.Where(m => m.PageName is not null))
        {
            var labels = string.Join(", ", metric.Labels.Select(l => $"`{l.PageName}`"));
            Row(page, $"`{metric.PageName}`", TypeOf(metric), $"`{metric.Unit}`", labels, metric.Meaning, metric.MeterName is { } name ? $"`{name}`" : "–");
        }

        page.Append("\n## Attributes\n\nWhat the page's labels are called as attributes of the meters' measurements.\n\n| label | attribute |\n|---|---|\n");
        foreach (var label in All.Where(m => m is { PageName: not null, MeterName: not null }).SelectMany(m => m.Labels).Distinct().OrderBy(l => l.PageName, StringComparer.Ordinal))
        {
            Row(page, $"`{label.PageName}`", $"`{label.AttributeName}`");
        }

        page.Append("\n## Instruments of OpenTelemetry's conventions\n\nMeter `Mesh.Gateway` only: the page has the same under names of its own.\n\n");
        page.Append("| instrument | type | unit | attributes | meaning |\n|---|---|---|---|---|\n");
        foreach (var metric in All.Where(m => m.PageName is null))
        {
            var attributes = string.Join(", ", metric.Labels.Select(l => $"`{l.AttributeName}`"));
            Row(page, $"`{metric.MeterName}`", TypeOf(metric), $"`{metric.Unit}`", attributes, metric.Meaning);
        }

        return page.ToString();
    }

    private static void Row(StringBuilder page, params ReadOnlySpan<string> cells)
    {
        foreach (var cell in cells) page.Append("| ").Append(cell).Append(' ');
        page.Append("|\n");
    }

    private static string TypeOf(MetricDefinition metric) => metric.Kind switch
    {
        MetricKind.Counter => "counter",
        MetricKind.Gauge => "gauge",
        _ => "histogram",
    };
}
