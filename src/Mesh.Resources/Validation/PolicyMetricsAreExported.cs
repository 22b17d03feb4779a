using Mesh.Resources.Compiling;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Reading;
using Mesh.Resources.Types;

namespace Mesh.Resources.Validation;

/// <summary>
/// A policy's metrics are exported by an AutoscalingMetric for the pool's endpoints. Without one the metric can still come with the
/// answers' load reports, so this is a warning.
/// </summary>
internal sealed class PolicyMetricsAreExported : IRule
{
    public void Check(World world, DiagnosticBag report)
    {
        foreach (var policy in world.Effective<GcpBackendPolicy>())
        {
            if (policy.Target is null || PolicyAttachments.PoolOf(policy.Header, policy.Target) is not { } id || world.FindPool(id) is not { } pool)
                continue;
            var exports = pool.Endpoints.Select(e => e.Owner).Distinct()
                .SelectMany(o => EndpointCompiler.Sources(world, o)).SelectMany(s => s.Pages).SelectMany(p => p.Exports).ToList();
            if (pool.Backends.IsEmpty) continue;
            var metrics = policy.Scopes.Select(s => s.Fields).Prepend(policy.Default).SelectMany(f => f.CustomMetrics?.Value ?? []);
            foreach (var metric in metrics)
            {
                var own = exports.Where(e => e.ExportName == metric.ExportName).ToList();
                if (own.Count == 0)
                {
                    var nearest = NearestName.Of(metric.ExportName, exports.Select(e => e.ExportName).Distinct());
                    report.Warning(
                        metric.At, DiagnosticCodes.MetricNotExported, $"No AutoscalingMetric exports {metric.ExportName} for the endpoints of {pool.Id}: it stays unknown unless their answers carry it",
                        nearest is null ? null : $"did you mean {CustomMetric.Prefix}{nearest}?");
                }
                else if (!own.Exists(e => e.ForLoadBalancing))
                {
                    report.Warning(
                        metric.At, DiagnosticCodes.MetricNotForBalancing, $"{metric.ExportName} is exported for autoscaling alone",
                        "set gauge.loadBalancing.enabled: true in the AutoscalingMetric");
                }
            }
        }
    }
}
