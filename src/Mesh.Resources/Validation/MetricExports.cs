using Mesh.Resources.Compiling;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Types;

namespace Mesh.Resources.Validation;

/// <summary>An AutoscalingMetric takes pods that exist, and an export name means one gauge on each of them.</summary>
internal sealed class MetricExports : IRule
{
    public void Check(World world, DiagnosticBag report)
    {
        foreach (var metric in world.Resources.Of<AutoscalingMetric>())
        {
            foreach (var source in metric.Sources)
            {
                var taken = world.Resources.Of<Pod>().Cast<Resource>().Concat(world.Resources.Of<EndpointSlice>())
                    .Any(
                        r => r.Cluster == metric.Cluster && r.Namespace == metric.Namespace
                            && KubernetesNames.Selects(source.Selector, r.Header.Labels));
                if (!taken)
                    report.Warning(
                        source.At, DiagnosticCodes.MetricWithoutPods,
                        $"AutoscalingMetric {metric.Header.FullName} selects no pod in namespace {metric.Namespace} of {metric.Cluster}");
            }
        }

        foreach (var group in world.Resources.Of<AutoscalingMetric>().GroupBy(m => (m.Cluster, m.Namespace)))
            CheckNames([.. group], report);
    }

    private static void CheckNames(List<AutoscalingMetric> metrics, DiagnosticBag report)
    {
        var first = new Dictionary<(string Selector, string ExportName), (string MetricName, AutoscalingMetric Object)>();
        foreach (var metric in metrics)
        {
            foreach (var (source, export) in metric.Sources.SelectMany(s => s.Pages.SelectMany(p => p.Exports).Select(e => (s, e))))
            {
                var key = (string.Join(',', source.Selector.Select(l => $"{l.Key}={l.Value}")), export.ExportName);
                if (first.TryAdd(key, (export.MetricName, metric)) || first[key].MetricName == export.MetricName) continue;
                report.Warning(
                    source.At, DiagnosticCodes.ExportNameRepeated, $"{export.ExportName} is the export name of {export.MetricName} and of {first[key].MetricName} ({first[key].Object.Header.NameAt}): whichever the page has is used",
                    "give each gauge a name of its own");
            }
        }
    }
}
